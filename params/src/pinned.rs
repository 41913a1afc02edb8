//! The digests of this program's own circuits, one a line: a process that opens a set compares them and would otherwise
//! make all five circuits first.
//!
//! A test makes them anew, and so does whoever makes a circuit's keys. Who changes the circuit changes them too.

use galen_circuits::class::Class;

const CIRCUITS: &str = include_str!("circuits.txt");

/// The digest of a class's circuit; none if no shape has that class.
pub(crate) fn digest(class: Class) -> Option<[u8; 32]> {
    let name = class.name();
    let mut lines = CIRCUITS.lines().filter_map(|line| line.split_once(' '));
    let (_, digest) = lines.find(|(found, _)| *found == name)?;
    Some(bytes(digest))
}

fn bytes(text: &str) -> [u8; 32] {
    let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16);
    std::array::from_fn(|i| byte(i).expect("64 hex digits"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use galen_circuits::{circuit, class::Size, equation::Rows};

    use super::*;
    use crate::{Shape, files::hex};

    #[test]
    fn digests_are_those_of_the_circuits() {
        let mut made = String::new();
        for shape in Shape::ALL {
            for size in Size::ALL {
                let class = shape.class(size);
                let matrices = circuit::matrices(class);
                // Keys and proofs are made over a domain of a power of two, which holds this and the public inputs.
                assert!(matrices.constraints() + matrices.publics() < 1 << 16);
                writeln!(made, "{class} {}", hex(&matrices.digest())).unwrap();
            }
        }
        assert!(
            made == CIRCUITS,
            "params/src/circuits.txt is to be:\n{made}"
        );
        let class = Shape::ALL[1].class(Size::Huge);
        assert_eq!(digest(class), Some(circuit::matrices(class).digest()));
    }

    #[test]
    fn a_class_of_no_shape_has_none() {
        let rounds = Rows::MOST_BITS + 1;
        let size = Size::Small;
        assert_eq!(digest(Class { rounds, size }), None);
    }
}
