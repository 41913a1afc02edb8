//! Digests of the circuits that few need and that take long to make: whoever opens a set would wait for them.
//!
//! They are those of this program's own circuits, which a test makes anew. Who changes the circuit changes them too.

use galen_circuits::{
    class::{Class, Size},
    equation::Rows,
};

/// Of the class `huge` of each shape, smallest first.
const HUGE: [&str; 11] = [
    "391b1d140453c6b41fd57740cd47d680b2677986b738ded9e4c6b2a1a2fec6ed",
    "723df92976197651778c294d8fe0b3461f8a40d5095bd9a7975e08ee83c6c838",
    "4bc45826f1ee1d8fe7d8e07ab09224ecc6dbb0e20f85c65268eb33bd138dcbe8",
    "a45d864c7711573a5495b981e8633f3c52149c834927cea228faeba21a998cc4",
    "118d66cd7e519f627a556299a3ea83b18c54b687e21460bc127a04f028e6075c",
    "7cf1ba4d1572995495caa81a48a12b1997bef37b9f3b76cae2613580cd26ca4a",
    "e78a18ee1674118ae5356a8d083eb5be2874ba33f03e945a229e60f96b56ed50",
    "da36d44335b869a68f98d4b594b39278b5d74fc3fe0c3c0abfba9ae30e11cb7c",
    "8feca91d27d6ca56e1bcdca4f81c4d361a3dbeaa7a29202c47f83365c4abb684",
    "62ce798a503095a738aebaab8d97a0088cdb918b35f70f27d811a75163b0ca8f",
    "6d04098a2e352e6a6da6781af6485fe8a4df5496db01b5c2691c6416fe0252e6",
];

/// The digest of a class's circuit, if it stands here.
pub(crate) fn digest(class: Class) -> Option<[u8; 32]> {
    let place = class.rounds.checked_sub(Rows::LEAST_BITS)?;
    let text = HUGE.get(usize::try_from(place).ok()?)?;
    (class.size == Size::Huge).then(|| bytes(text))
}

fn bytes(text: &str) -> [u8; 32] {
    let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16);
    std::array::from_fn(|i| byte(i).expect("64 hex digits"))
}

#[cfg(test)]
mod tests {
    use galen_circuits::circuit;

    use super::*;
    use crate::{Shape, files::hex};

    #[test]
    fn digests_are_those_of_the_circuits() {
        let size = Size::Huge;
        let found = Shape::ALL.map(|shape| {
            let matrices = circuit::matrices(shape.class(size));
            // Keys and proofs are made over a domain of a power of two, which holds this and the public inputs.
            assert!(matrices.constraints() + matrices.publics() < 1 << 16);
            hex(&matrices.digest())
        });
        assert_eq!(found, HUGE, "{found:#?}");
        let class = Shape::ALL[1].class(size);
        assert_eq!(digest(class), Some(circuit::matrices(class).digest()));
        assert_eq!(digest(Shape::ALL[1].class(Size::Large)), None);
    }
}
