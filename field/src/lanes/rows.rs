//! Lanes from and to memory: eight rows of four 64-bit numbers are transposed in registers, which is faster than gathering number by number.

use super::*;

/// A number below 2^256 as it stands in memory.
pub(crate) type Row = [u64; 4];

/// Two rows beside each other.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn two(low: &Row, high: &Row) -> __m512i {
    // SAFETY: a row has 256 bits, and the loads need no alignment.
    #[allow(unsafe_code)]
    let (low, high) = unsafe {
        let load = _mm256_loadu_si256;
        (load(low.as_ptr().cast()), load(high.as_ptr().cast()))
    };
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
}

/// The two rows again.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn apart(rows: __m512i) -> [Row; 2] {
    let mut two = [[0; 4]; 2];
    // SAFETY: two rows have 512 bits, and the store needs no alignment.
    #[allow(unsafe_code)]
    unsafe {
        _mm512_storeu_si512(two.as_mut_ptr().cast(), rows);
    }
    two
}

/// Transposes eight by eight numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn transpose([a, b, c, d, e, f, g, h]: [__m512i; LANES]) -> [__m512i; LANES] {
    let [r0, r2, r4, r6] = quarters(
        _mm512_unpacklo_epi64(a, b),
        _mm512_unpacklo_epi64(c, d),
        _mm512_unpacklo_epi64(e, f),
        _mm512_unpacklo_epi64(g, h),
    );
    let [r1, r3, r5, r7] = quarters(
        _mm512_unpackhi_epi64(a, b),
        _mm512_unpackhi_epi64(c, d),
        _mm512_unpackhi_epi64(e, f),
        _mm512_unpackhi_epi64(g, h),
    );
    [r0, r1, r2, r3, r4, r5, r6, r7]
}

/// The first quarters of four, the second ones, and so on.
#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
fn quarters(a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> [__m512i; 4] {
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let (even, even_of) = (
        _mm512_shuffle_i64x2::<EVEN>(a, b),
        _mm512_shuffle_i64x2::<EVEN>(c, d),
    );
    let (odd, odd_of) = (
        _mm512_shuffle_i64x2::<ODD>(a, b),
        _mm512_shuffle_i64x2::<ODD>(c, d),
    );
    [
        _mm512_shuffle_i64x2::<EVEN>(even, even_of),
        _mm512_shuffle_i64x2::<EVEN>(odd, odd_of),
        _mm512_shuffle_i64x2::<ODD>(even, even_of),
        _mm512_shuffle_i64x2::<ODD>(odd, odd_of),
    ]
}

impl<M: Modulus> Lanes<M> {
    /// Sixteenths of eight elements, below 1: arkworks' form, x·2^256, read as x/16·2^260.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn kept(elements: &[M; LANES]) -> Self {
        Self::of_rows(elements.each_ref().map(|e| e.kept()))
    }

    /// The elements of which these, below 2, are the sixteenths.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn as_kept(&self) -> [M; LANES] {
        self.check_below(1);
        let canonical = self.less_unless_negative(0);
        canonical.check_below(0);
        canonical.into_rows().map(M::of_kept)
    }

    /// The numbers of eight rows, below 2^256, as they are.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn of_rows(rows: [&Row; LANES]) -> Self {
        let [a, b, c, d, e, f, g, h] = rows;
        let (ac, bd, eg, fh) = (two(a, c), two(b, d), two(e, g), two(f, h));
        // Numbers 0 and 2, and 1 and 3, of rows 0 to 3 and 4 to 7.
        let (even, even_of) = (_mm512_unpacklo_epi64(ac, bd), _mm512_unpacklo_epi64(eg, fh));
        let (odd, odd_of) = (_mm512_unpackhi_epi64(ac, bd), _mm512_unpackhi_epi64(eg, fh));
        Self::narrowed([
            _mm512_shuffle_i64x2::<0b10_00_10_00>(even, even_of),
            _mm512_shuffle_i64x2::<0b10_00_10_00>(odd, odd_of),
            _mm512_shuffle_i64x2::<0b11_01_11_01>(even, even_of),
            _mm512_shuffle_i64x2::<0b11_01_11_01>(odd, odd_of),
        ])
    }

    /// Each lane's number, below 2^256 with limbs below 2^52, as a row.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn into_rows(self) -> [Row; LANES] {
        let [a, b, c, d] = self.widened();
        // Numbers 0 and 1, and 2 and 3, of the even rows and of the odd ones.
        let (even, even_of) = (_mm512_unpacklo_epi64(a, b), _mm512_unpacklo_epi64(c, d));
        let (odd, odd_of) = (_mm512_unpackhi_epi64(a, b), _mm512_unpackhi_epi64(c, d));
        let first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        let second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
        let [a, c] = apart(_mm512_permutex2var_epi64(even, first, even_of));
        let [e, g] = apart(_mm512_permutex2var_epi64(even, second, even_of));
        let [b, d] = apart(_mm512_permutex2var_epi64(odd, first, odd_of));
        let [f, h] = apart(_mm512_permutex2var_epi64(odd, second, odd_of));
        [a, b, c, d, e, f, g, h]
    }

    /// Number a of lane b becomes number b of lane a.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    pub(crate) fn transposed(of: &[Self; LANES]) -> [Self; LANES] {
        let mut all = *of;
        for limb in 0..LIMBS {
            let mut rows = [of[0].0[limb]; LANES];
            for (row, lanes) in rows.iter_mut().zip(of) {
                *row = lanes.0[limb];
            }
            for (lanes, row) in all.iter_mut().zip(transpose(rows)) {
                lanes.0[limb] = row;
            }
        }
        all
    }

    /// From four numbers of 64 bits to five of 52.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn narrowed([a, b, c, d]: [__m512i; 4]) -> Self {
        let mask = _mm512_set1_epi64(MASK.cast_signed());
        let mut limbs = [
            a,
            _mm512_or_si512(_mm512_srli_epi64::<52>(a), _mm512_slli_epi64::<12>(b)),
            _mm512_or_si512(_mm512_srli_epi64::<40>(b), _mm512_slli_epi64::<24>(c)),
            _mm512_or_si512(_mm512_srli_epi64::<28>(c), _mm512_slli_epi64::<36>(d)),
            _mm512_srli_epi64::<16>(d),
        ];
        for limb in &mut limbs {
            *limb = _mm512_and_si512(*limb, mask);
        }
        Self(limbs, PhantomData)
    }

    /// From five numbers of 52 bits to four of 64.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn widened(self) -> [__m512i; 4] {
        let [a, b, c, d, e] = self.0;
        [
            _mm512_or_si512(a, _mm512_slli_epi64::<52>(b)),
            _mm512_or_si512(_mm512_srli_epi64::<12>(b), _mm512_slli_epi64::<40>(c)),
            _mm512_or_si512(_mm512_srli_epi64::<24>(c), _mm512_slli_epi64::<28>(d)),
            _mm512_or_si512(_mm512_srli_epi64::<36>(d), _mm512_slli_epi64::<16>(e)),
        ]
    }
}
