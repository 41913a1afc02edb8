//! The columns of the sumcheck before anything is bound: functions of small values, looked up rather than stored.

use ark_ff::Zero;

use super::kernel::{BlockShape, Shape, small_product};
use crate::{
    CircuitError, Fr,
    equation::{Challenges, FACTORS, Layout, Linear, Measure, powers, signed},
    execute::{BaseValues, Bound, Execution},
};

/// No coefficient of a product of at most four factors a + dx, a in {0, 1} and d in {−1, 0, 1}, is larger: C(4, 2).
const MOST: usize = 6;

/// Reciprocals and denominators of one slot, by key, and the key of every row.
pub(crate) struct WideSlot<'a> {
    /// Of the rows that hold a patient.
    pub keys: &'a [u32],
    /// Of all other rows.
    pub padding: u32,
    /// χ^b·q by key.
    pub q: Vec<Fr>,
    /// e by key.
    pub e: Vec<Fr>,
}

/// A combination of small columns with field weights.
struct Form<'a> {
    present: Fr,
    padding: Fr,
    terms: Vec<(&'a [u16], Weight)>,
}

/// coefficient·v for a small v: looked up where a table is worth it.
enum Weight {
    Table(Vec<Fr>),
    Coefficient(Fr),
}

impl<'a> Form<'a> {
    fn zero() -> Self {
        Self {
            present: Fr::zero(),
            padding: Fr::zero(),
            terms: Vec::new(),
        }
    }

    fn add(&mut self, weight: Fr, linear: &Linear, bound: &Bound<'a>) {
        let (present, terms) = bound.parts();
        self.present += weight * signed(i128::from(present));
        self.padding += weight * signed(i128::from(linear.at_zero()));
        for (values, coefficient) in terms {
            let coefficient = weight * signed(i128::from(*coefficient));
            self.terms.push((values, Weight::new(values, coefficient)));
        }
    }

    fn multiply(&mut self, by: Fr) {
        self.present *= by;
        self.padding *= by;
        for (_, weight) in &mut self.terms {
            match weight {
                Weight::Table(table) => table.iter_mut().for_each(|x| *x *= by),
                Weight::Coefficient(c) => *c *= by,
            }
        }
    }

    fn at(&self, row: usize, present: usize) -> Fr {
        if row >= present {
            return self.padding;
        }
        let mut sum = self.present;
        for (values, weight) in &self.terms {
            match (values[row], weight) {
                (0, _) => {}
                (v, Weight::Table(table)) => sum += table[usize::from(v)],
                (v, Weight::Coefficient(c)) => sum += *c * Fr::from(v),
            }
        }
        sum
    }
}

impl Weight {
    fn new(values: &[u16], coefficient: Fr) -> Self {
        let most = values.iter().copied().max().map_or(0, usize::from);
        if 4 * most > values.len() {
            return Self::Coefficient(coefficient);
        }
        let steps = std::iter::successors(Some(Fr::zero()), |v| Some(*v + coefficient));
        Self::Table(steps.take(most + 1).collect())
    }
}

/// All columns of all rows, in the order of [`Shape`].
pub(crate) struct Rows<'a> {
    /// L.
    pub bits: u32,
    present: usize,
    slots: Vec<WideSlot<'a>>,
    forms: Vec<Form<'a>>,
    /// For each block −κ and its factors as integers; none where the root is proven elsewhere.
    factors: Vec<(Fr, Vec<(Bound<'a>, i64)>)>,
    /// Where each stands in a row.
    pub shape: Shape,
    /// Σ χ^b over the slots: what the ones on the right of e·q = 1 amount to.
    pub ones: Fr,
}

impl Rows<'_> {
    /// What the roots' products add to g₂, g₃ and g₄ in the first round, where the factors are bits: over as many rows from `first` on as there
    /// are weights, and those `half` behind them. Each product is an integer: weights are added up by how often they count.
    pub(super) fn first_products(&self, first: usize, half: usize, weights: &[Fr]) -> [Fr; 3] {
        let mut products = [Fr::zero(); 3];
        for (scale, factors) in self.factors.iter().filter(|(_, f)| !f.is_empty()) {
            let at = |(bound, padding): &(Bound<'_>, i64), row| match row < self.present {
                true => bound.at(row),
                false => *padding,
            };
            let mut counted = [[Fr::zero(); 2 * MOST + 1]; 3];
            for (row, weight) in (first..).zip(weights) {
                let mut steps = [(1, 0); FACTORS];
                for (step, factor) in steps.iter_mut().zip(factors) {
                    let value = at(factor, row);
                    *step = (value, at(factor, row + half) - value);
                }
                let product = small_product(&steps).into_iter().enumerate();
                for (k, times) in product.filter(|(_, times)| *times != 0) {
                    // Where a factor is no bit, what follows is not satisfied, and no proof is made.
                    let place = usize::try_from(times + MOST as i64).ok();
                    if let Some(sum) = place.and_then(|p| counted[k].get_mut(p)) {
                        *sum += weight;
                    }
                }
            }
            for (product, weights) in products.iter_mut().zip(&counted) {
                let times = (-(MOST as i64)..).zip(weights);
                let total: Fr = times.map(|(n, w)| *w * Fr::from(n)).sum();
                *product += total * scale;
            }
        }
        products
    }

    /// Writes the columns of a row to `out`.
    pub(super) fn fill(&self, row: usize, out: &mut [Fr]) {
        let (slots, forms) = out.split_at_mut(2 * self.slots.len());
        for (slot, out) in self.slots.iter().zip(slots.chunks_exact_mut(2)) {
            let key = slot.keys.get(row).copied().unwrap_or(slot.padding) as usize;
            out[0] = slot.q[key];
            out[1] = slot.e[key];
        }
        for (form, out) in self.forms.iter().zip(forms) {
            *out = form.at(row, self.present);
        }
    }

    /// Multiplies all columns.
    pub(super) fn multiply(&mut self, by: Fr) {
        for slot in &mut self.slots {
            slot.q.iter_mut().chain(&mut slot.e).for_each(|x| *x *= by);
        }
        for form in &mut self.forms {
            form.multiply(by);
        }
    }

    /// Writes the sixteenths of the columns of eight rows.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn fill_eight(
        &self,
        vectors: galen_field::Vectors,
        row: usize,
        out: &mut [galen_field::Eight],
    ) {
        let (slots, forms) = out.split_at_mut(2 * self.slots.len());
        for (slot, out) in self.slots.iter().zip(slots.chunks_exact_mut(2)) {
            let mut keys = [slot.padding as usize; 8];
            let present = slot.keys.get(row..).unwrap_or(&[]);
            for (key, own) in keys.iter_mut().zip(present) {
                *key = *own as usize;
            }
            out[0] = vectors.sixteenths(keys.map(|key| &slot.q[key]));
            out[1] = vectors.sixteenths(keys.map(|key| &slot.e[key]));
        }
        for (form, out) in self.forms.iter().zip(forms) {
            let eight: [Fr; 8] = std::array::from_fn(|k| form.at(row + k, self.present));
            *out = vectors.sixteenths(eight.each_ref());
        }
    }
}

#[cfg(test)]
mod random;

/// χ-weights: χ^b of slot b, χ^{B+k} of table slot k and χ^{B+M+h} of block h.
pub(crate) struct Chi {
    pub slots: Vec<Fr>,
    pub tables: Vec<Fr>,
    pub blocks: Vec<Fr>,
}

impl Chi {
    pub(crate) fn new(chi: Fr, layout: &Layout<'_>) -> Self {
        let size = layout.class.size;
        let (slots, tables) = (size.slots(), size.tables());
        let mut all = powers(chi, 0, slots + tables + size.blocks());
        let blocks = all.split_off(slots + tables);
        let tables = all.split_off(slots);
        Self {
            slots: all,
            tables,
            blocks,
        }
    }
}

/// Puts the columns together. `wide` are the layout's slots in order, with χ^b already in q.
///
/// # Errors
/// A column that is missing.
pub(crate) fn build<'a>(
    layout: &Layout<'_>,
    wide: Vec<WideSlot<'a>>,
    bases: &BaseValues<'a>,
    execution: &'a Execution,
    challenges: &Challenges,
    chi: &Chi,
) -> Result<Rows<'a>, CircuitError> {
    let equation = layout.equation;
    let groupings = equation.groupings.len();
    let mut shape = Shape::new(wide.len(), wide.len() - groupings);
    let mut forms: Vec<Form<'a>> = Vec::new();
    let mut push = |shape: &mut Shape, parts: &[(Fr, &Linear)]| -> Result<usize, CircuitError> {
        let mut form = Form::zero();
        for (weight, linear) in parts {
            let bound = Bound::new(linear, bases, &execution.derived)?;
            form.add(*weight, linear, &bound);
        }
        forms.push(form);
        Ok(shape.add_column())
    };
    let one = Fr::from(1u64);
    let mut integers = Vec::new();
    for (index, block) in equation.blocks.iter().enumerate() {
        let kappa = chi.blocks[index];
        let mut inverse = [kappa];
        crate::equation::invert(&mut inverse)?;
        // s is stored times κ, and w times what it is to be multiplied with besides.
        let mut scale = inverse[0];
        if block.grouping.is_none() {
            let mut reciprocal = layout.group_denominators(index, challenges);
            crate::equation::invert(&mut reciprocal)?;
            scale *= reciprocal[0];
        }
        let root = push(&mut shape, &[(kappa, &block.root)])?;
        // A root that is a proven bit itself is its only factor: s − s = 0.
        let factors = match block.factors.as_slice() {
            [only] if *only == block.root => Vec::new(),
            factors => factors
                .iter()
                .enumerate()
                .map(|(i, f)| push(&mut shape, &[(if i == 0 { -kappa } else { one }, f)]))
                .collect::<Result<_, _>>()?,
        };
        let of_factor = |f: &Linear| -> Result<_, CircuitError> {
            Ok((Bound::new(f, bases, &execution.derived)?, f.at_zero()))
        };
        let own = match factors.is_empty() {
            true => Vec::new(),
            false => block
                .factors
                .iter()
                .map(of_factor)
                .collect::<Result<_, _>>()?,
        };
        integers.push((-kappa, own));
        let first = layout.first_measure(index);
        let powers = powers(challenges.beta, first, block.measures.len());
        let measures = || block.measures.iter().zip(&powers);
        let single: Vec<(Fr, &Linear)> = measures()
            .filter_map(|(m, p)| match m {
                Measure::Linear(l) => Some((scale * p, l)),
                Measure::Product(..) => None,
            })
            .collect();
        let single = push(&mut shape, &single)?;
        let mut pairs = Vec::new();
        for left in layout.left_factors(index) {
            let right: Vec<(Fr, &Linear)> = measures()
                .filter_map(|(m, p)| match m {
                    Measure::Product(l, r) if l == left => Some((scale * p, r)),
                    _ => None,
                })
                .collect();
            let left = push(&mut shape, &[(one, left)])?;
            pairs.push((left, push(&mut shape, &right)?));
        }
        let grouping = block.grouping.map(|g| wide.len() - groupings + g);
        shape.blocks.push(BlockShape {
            grouping,
            root,
            factors,
            single,
            pairs,
        });
    }
    let ones = chi.slots[..wide.len()].iter().sum();
    Ok(Rows {
        bits: equation.rows.row_bits,
        present: equation.rows.present,
        slots: wide,
        forms,
        factors: integers,
        shape,
        ones,
    })
}
