//! The answer circuit (`docs/spec/circuit.md`): a sumcheck's transcript, hidden. It knows nothing of the query; what
//! its evaluations are of, the verifier says by combining commitments.

mod gadget;
mod native;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use zeroize::{Zeroize, ZeroizeOnDrop};

pub use native::{Violation, violation};

use crate::{
    Fr,
    class::Class,
    r1cs::{Assignment, Builder, Matrices},
    sumcheck::Message,
};

/// The sponge's width: a rate of one round's message.
pub const WIDTH: usize = crate::sumcheck::MESSAGE + 1;

/// The public inputs, in the circuit's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publics {
    /// α₀: everything that is fixed before X.
    pub alpha_0: Fr,
    /// X.
    pub x: Fr,
    /// γ.
    pub gamma: Fr,
    /// β.
    pub beta: Fr,
    /// α₁: the reciprocals' commitments besides.
    pub alpha_1: Fr,
    /// r\[j\] belongs to bit j.
    pub r: Vec<Fr>,
    /// ρ.
    pub rho: Fr,
    /// y* = Σ ρ^k ỹ_k + ρ^K·mask.
    pub y: Fr,
    /// The right side of the sum.
    pub rhs: Fr,
}

impl Publics {
    /// How many there are for L rounds.
    #[must_use]
    pub fn count(rounds: u32) -> usize {
        rounds as usize + 8
    }

    /// As the proof system takes them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Fr> {
        let head = [self.alpha_0, self.x, self.gamma, self.beta, self.alpha_1];
        let tail = [self.rho, self.y, self.rhs];
        [&head[..], &self.r, &tail].concat()
    }

    fn zero(class: Class) -> Self {
        let zero = Fr::from(0u64);
        Self {
            alpha_0: zero,
            x: zero,
            gamma: zero,
            beta: zero,
            alpha_1: zero,
            r: vec![zero; class.rounds as usize],
            rho: zero,
            y: zero,
            rhs: zero,
        }
    }
}

/// The witness.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret {
    /// Makes the revealed challenges pseudorandom.
    pub salt: Fr,
    /// The messages, variable L − 1 first.
    pub messages: Vec<Message>,
    /// The evaluations at r, in the order of the class.
    pub evaluations: Vec<Fr>,
    /// The mask's.
    pub mask: Fr,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Secret {
    fn zero(class: Class) -> Self {
        let zero = Fr::from(0u64);
        Self {
            salt: zero,
            messages: vec![[zero; crate::sumcheck::MESSAGE]; class.rounds as usize],
            evaluations: vec![zero; class.size.evaluations()],
            mask: zero,
        }
    }

    /// Whether it has the lengths that the class fixes.
    #[must_use]
    pub fn fits(&self, class: Class) -> bool {
        self.messages.len() == class.rounds as usize
            && self.evaluations.len() == class.size.evaluations()
    }
}

/// The circuit's matrices, made once in a process.
#[must_use]
pub fn matrices(class: Class) -> Arc<Matrices> {
    static KNOWN: Mutex<BTreeMap<Class, Arc<Matrices>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(matrices) = known().get(&class) {
        return Arc::clone(matrices);
    }
    let (publics, secret) = (Publics::zero(class), Secret::zero(class));
    let matrices = Arc::new(Builder::shape(|b| {
        gadget::write(b, class, &publics, &secret)
    }));
    Arc::clone(known().entry(class).or_insert(matrices))
}

/// The assignment of a class's circuit.
///
/// # Panics
/// When the witness does not have the class's lengths.
#[must_use]
pub fn assign(class: Class, publics: &Publics, secret: &Secret, variables: usize) -> Assignment {
    assert!(
        secret.fits(class) && publics.r.len() == class.rounds as usize,
        "a transcript of this class"
    );
    Builder::assign(variables, |b| gadget::write(b, class, publics, secret))
}
