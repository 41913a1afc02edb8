//! scratch: where the time goes.
#![allow(clippy::all, clippy::unwrap_used, missing_docs)]
use ark_ff::{PrimeField, Zero, UniformRand, Field};
use ark_relations::gr1cs::*;
use ark_groth16::{Groth16, r1cs_to_qap::{R1CSToQAP, evaluate_constraint}};
use galen_benches::{fixture::*, *};
use galen_circuits::{*, gates::*, msm::msm, qap::CommittedReduction, keys::ProvingKey, column::Column};
use galen_params::Shape;
use ark_std::rand::rngs::OsRng; use ark_ec::AffineRepr;
type D = ark_poly::GeneralEvaluationDomain<Fr>;
use ark_poly::EvaluationDomain;
fn t<T>(what: &str, mut f: impl FnMut() -> T) -> T {
    let mut best = vec![]; let mut r = None;
    let (_, c) = cpu_timed(|| for _ in 0..8 { let (x, d) = timed(&mut f); best.push(d); r = Some(x); });
    best.sort();
    println!("   {what:<40} CPU {:7.1} ms   clock min {:7.1} ms", ms(c) / 8.0, ms(best[0])); r.unwrap()
}
fn assign(c: Circuit<'_>) -> Vec<Fr> {
    let cs = ConstraintSystem::new_ref();
    cs.set_mode(SynthesisMode::Prove { construct_matrices: false, generate_lc_assignments: false });
    c.generate_constraints(cs.clone()).unwrap();
    let i = cs.into_inner().unwrap();
    let mut v = i.assignments.instance_assignment; v.extend_from_slice(&i.assignments.witness_assignment); v
}
fn parts(pk: &ProvingKey, circuit: Circuit<'_>, slots: &[&Column], free: &[Fr]) {
    let v = t("assignment (synthesis without matrices)", || assign(circuit));
    let m = &pk.matrices;
    let n = D::new(m.constraints).unwrap();
    println!("   constraints {} domain {} instance {} witness {}", m.constraints, n.size(), m.instance, m.witness);
    t("matrix evaluation, 3 x", || { m.abc.iter().map(|m| { use rayon::prelude::*; m.par_iter().map(|r| evaluate_constraint(r, &v)).collect::<Vec<Fr>>() }).collect::<Vec<_>>() });
    let h = t("QAP in all", || CommittedReduction::witness_map_from_matrices::<Fr, D>(&m.abc, m.instance, m.constraints, &v).unwrap());
    let mut f = h.clone();
    t("one FFT", || n.fft_in_place(&mut f));
    let big = |s: &[Fr]| s.iter().map(|s| s.into_bigint()).collect::<Vec<_>>();
    let hb = big(&h); let vb = big(&v);
    use ark_ec::VariableBaseMSM;
    type P1 = ark_bn254::G1Projective; type P2 = ark_bn254::G2Projective;
    let g = &pk.groth16;
    t("H", || P1::msm_bigint(&g.h_query, &hb));
    if true {
        let want = P1::msm_bigint(&g.h_query, &hb);
        for c in [11, 12, 13, 14] { let got = t(&format!("H, affine buckets, c = {c}"), || affine::msm(&g.h_query, &hb, c)); assert_eq!(got, want); }
        if m.witness > 0 { let want = P1::msm_bigint(&g.l_query, &vb[m.instance..]);
        let got = t("L, affine buckets, c = 12", || affine::msm(&g.l_query, &vb[m.instance..], 12)); if got != want { println!("L differs"); } }
        let c = 16; let tab = affine::table(&g.h_query, c);
        for parts in [2, 4] { let got = t(&format!("H, table of 16 windows, {parts} parts"), || affine::tabled(&tab, &hb, c, parts)); assert_eq!(got, want); }
    }
    t("L", || P1::msm_bigint(&g.l_query, &vb[m.instance..]));
    t("A", || P1::msm_bigint(&g.a_query[1..], &vb[1..]));
    t("B1", || P1::msm_bigint(&g.b_g1_query[1..], &vb[1..]));
    t("B2", || P2::msm_bigint(&g.b_g2_query[1..], &vb[1..]));
    let last = g.b_g2_query.iter().rposition(|p| !p.is_zero()).unwrap() + 1;
    println!("   B bases that are not infinity end at {last} of {}", g.b_g2_query.len());
    t("B1 cut", || P1::msm_bigint(&g.b_g1_query[1..last], &vb[1..last]));
    t("B2 cut", || P2::msm_bigint(&g.b_g2_query[1..last], &vb[1..last]));
    // without infinities at all
    let pick = |q: &[G1]| -> (Vec<G1>, Vec<_>) { q[1..].iter().zip(&vb[1..]).filter(|(p, _)| !p.is_zero()).map(|(p, s)| (*p, *s)).unzip() };
    let (ab, asx) = pick(&g.a_query); t("A without infinities", || P1::msm_bigint(&ab, &asx));
    println!("   A bases that are not infinity {} of {}", ab.len(), g.a_query.len());
    let mut s = vec![Fr::rand(&mut OsRng)]; for c in slots { s.extend_from_slice(c.values()); } s.extend_from_slice(free);
    t("D", || msm(pk.committed_bases(), &s));
    t("link", || { let mut sum = msm(&pk.link.free, free); for (c, r) in slots.iter().zip(&pk.link.rows) { sum += msm(r, c.values()); } sum });
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    t("H on one thread", || one.install(|| P1::msm_bigint(&g.h_query, &hb)));
    t("zeroize", || { let mut x = v.clone(); zeroize_(&mut x); });
    t("Groth16 in all", || Groth16::<E, CommittedReduction>::create_proof_with_reduction_and_matrices(g, Fr::rand(&mut OsRng), Fr::rand(&mut OsRng), &m.abc, m.instance, m.constraints, &v).unwrap());
    let mut cut = pk.groth16.clone(); cut.b_g1_query.truncate(last); cut.b_g2_query.truncate(last);
    t("Groth16 in all, B cut", || Groth16::<E, CommittedReduction>::create_proof_with_reduction_and_matrices(&cut, Fr::rand(&mut OsRng), Fr::rand(&mut OsRng), &m.abc, m.instance, m.constraints, &v).unwrap());
}
fn zeroize_(x: &mut Vec<Fr>) { for v in x.iter_mut() { *v = Fr::zero(); } std::hint::black_box(x); }
fn throughput(what: &str, f: &(dyn Fn() + Sync)) {
    let pools: Vec<_> = (0..2).map(|_| rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap()).collect();
    let (mut a, mut b) = (vec![], vec![]);
    for _ in 0..7 {
        a.push(timed(|| { f(); f(); }).1);
        b.push(timed(|| std::thread::scope(|s| for p in &pools { s.spawn(|| p.install(|| f())); })).1);
    }
    println!("   {what}: two proofs one after the other {:.1} ms; one on each core {:.1} ms", ms(median(a)), ms(median(b)));
}
fn main() {
    let shape = Shape::from_name(&std::env::args().nth(1).unwrap_or("hospital".into())).unwrap();
    let f = Fixture::new(std::path::Path::new("/tmp/target-bench/tmp/parameters"), shape).unwrap();
    println!("{}", load());
    let rho = Fr::rand(&mut OsRng); let ctx = Fr::from(77u64);
    for (name, y, z) in [("select ones", &f.ones, &f.cohort), ("select three limbs", &f.payload, &f.selected)] {
        println!("{name}");
        let a = select::Assignment { ctx, k: Fr::from(LITERALS), rho, x: f.met.values(), y: y.values(), z: z.values() };
        t("whole", || if name == "select ones" { f.prove_select() } else { f.prove_payload() });
        t("native check", || select::violation(&a));
        t("hints", || select::hints(a.k, a.x, a.y, a.z));
        parts(f.select_key(), Circuit { gate: Gate::Select, n: f.n, assignment: Some(Assignment::Select(a)) }, &[&f.met, y, z], &[]);
    }
    throughput("select", &|| drop(f.prove_select()));
    throughput("payload", &|| drop(f.prove_payload()));
    throughput("recode10", &|| drop(f.prove_recode()));
    println!("recode10");
    let pk = f.params.proving_key(Gate::Recode { bits: 10 }).unwrap();
    t("whole", || f.prove_recode());
    let set: Vec<Fr> = (0..1024u64).map(|t| Fr::from((SET[0].0..=SET[0].1).contains(&t) as u64)).collect();
    let counts = t("multiplicities", || recode::multiplicities(10, f.value.values()).unwrap());
    let x = Fr::rand(&mut OsRng);
    let (iota, g) = t("fractions", || recode::fractions(10, x, f.value.values(), f.member.values(), &counts, &set).unwrap());
    let a = recode::Assignment { ctx, challenge: x, rho, x: f.value.values(), z: f.member.values(), multiplicities: &counts, set: &set, iota: &iota, g: &g };
    parts(&pk, Circuit { gate: Gate::Recode { bits: 10 }, n: f.n, assignment: Some(Assignment::Recode(a)) }, &[&f.value, &f.member], &counts);
}
mod affine {
    use super::*;
    use ark_bn254::{Fq, G1Projective};
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_ff::{BigInteger256, AdditiveGroup};
    use rayon::prelude::*;
    fn digits(s: &BigInteger256, c: usize, out: &mut [i32]) {
        let mut carry = 0i64; let half = 1i64 << (c - 1); let full = 1i64 << c;
        for (w, o) in out.iter_mut().enumerate() {
            let bit = w * c; let (l, off) = (bit / 64, bit % 64);
            let mut v = if l < 4 { s.0[l] >> off } else { 0 };
            if off + c > 64 && l + 1 < 4 { v |= s.0[l + 1] << (64 - off); }
            let mut d = (v & (full as u64 - 1)) as i64 + carry;
            carry = 0; if d > half { d -= full; carry = 1; }
            *o = d as i32;
        }
    }
    /// Sum of points per bucket by rounds of affine pair additions with one inversion a round.
    fn window(bases: &[G1], dig: impl Fn(usize) -> i32, c: usize) -> G1Projective {
        let nb = 1usize << (c - 1);
        let mut start = vec![0u32; nb + 2];
        for i in 0..bases.len() { let d = dig(i); if d != 0 { start[d.unsigned_abs() as usize + 1] += 1; } }
        for b in 1..nb + 2 { start[b] += start[b - 1]; }
        let total = start[nb + 1] as usize;
        let mut xs = vec![(Fq::ZERO, Fq::ZERO); total];
        let mut at = start.clone();
        for i in 0..bases.len() { let d = dig(i); if d != 0 && !bases[i].is_zero() {
            let b = d.unsigned_abs() as usize; let p = &bases[i];
            xs[at[b] as usize] = (p.x, if d < 0 { -p.y } else { p.y }); at[b] += 1; } }
        // bucket b (1..=nb) holds start[b]..start[b+1]
        let mut lens: Vec<u32> = (1..=nb).map(|b| start[b + 1] - start[b]).collect();
        let mut den: Vec<Fq> = Vec::new();
        loop {
            den.clear();
            let mut p = 0usize;
            for &l in &lens { for j in 0..(l as usize / 2) { let (a, b) = (&xs[p + 2 * j], &xs[p + 2 * j + 1]); den.push(b.0 - a.0); } p += l as usize; }
            if den.is_empty() { break; }
            assert!(den.iter().all(|d| !d.is_zero()));
            ark_ff::fields::serial_batch_inversion_and_mul(&mut den, &Fq::ONE);
            let (mut p, mut w, mut k) = (0usize, 0usize, 0usize);
            for l in lens.iter_mut() {
                let n = *l as usize;
                for j in 0..n / 2 {
                    let (a, b) = (xs[p + 2 * j], xs[p + 2 * j + 1]);
                    let la = (b.1 - a.1) * den[k]; k += 1;
                    let x3 = la.square() - a.0 - b.0;
                    xs[w] = (x3, la * (a.0 - x3) - a.1); w += 1;
                }
                if n % 2 == 1 { xs[w] = xs[p + n - 1]; w += 1; }
                p += n; *l = n.div_ceil(2) as u32;
            }
        }
        let mut sum = G1Projective::ZERO; let mut run = G1Projective::ZERO;
        let mut p: usize = lens.iter().map(|l| *l as usize).sum();
        for &l in lens.iter().rev() { if l == 1 { p -= 1; run += G1::new_unchecked(xs[p].0, xs[p].1); } sum += run; }
        sum
    }
    pub fn msm(bases: &[G1], scalars: &[BigInteger256], c: usize) -> G1Projective {
        let ws = 255usize.div_ceil(c);
        let mut dig = vec![0i32; ws * scalars.len()];
        dig.par_chunks_mut(ws).zip(scalars).for_each(|(o, s)| digits(s, c, o));
        let sums: Vec<_> = (0..ws).into_par_iter().map(|w| window(bases, |i| dig[i * ws + w], c)).collect();
        sums.iter().rev().fold(G1Projective::ZERO, |mut acc, s| { for _ in 0..c { acc.double_in_place(); } acc + s })
    }
    /// All windows share the buckets: table[w][i] = 2^(c w) base i. Chunks over the points for the cores.
    pub fn tabled(table: &[Vec<G1>], scalars: &[BigInteger256], c: usize, parts: usize) -> G1Projective {
        let ws = table.len();
        let mut dig = vec![0i32; ws * scalars.len()];
        dig.par_chunks_mut(ws).zip(scalars).for_each(|(o, s)| digits(s, c, o));
        // split windows in `parts`
        (0..parts).into_par_iter().map(|p| {
            let mine: Vec<usize> = (0..ws).filter(|w| w % parts == p).collect();
            let bases: Vec<G1> = mine.iter().flat_map(|w| table[*w].iter().copied()).collect();
            let n = table[0].len();
            window(&bases, |j| dig[(j % n) * ws + mine[j / n]], c)
        }).sum()
    }
    pub fn table(bases: &[G1], c: usize) -> Vec<Vec<G1>> {
        let ws = 255usize.div_ceil(c);
        let mut cur: Vec<G1Projective> = bases.iter().map(|b| b.into_group()).collect();
        let mut out = vec![bases.to_vec()];
        for _ in 1..ws { cur.par_iter_mut().for_each(|p| { for _ in 0..c { p.double_in_place(); } }); out.push(G1Projective::normalize_batch(&cur)); }
        out
    }
}
