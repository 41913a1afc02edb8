//! The circuits' identity, pinned: whoever changes a constraint changes a key, and sees it here.

use std::fmt::Write as _;

use galen_circuits::gates::{Gate, Layout, Matrices, SlotKind};

/// gate, rows of a column: constraints, instance and witness variables, digest of the matrices.
const PINNED: &str = "\
select 480: 964 1444 480 6b1c1362836ae81c9418b22bf02ff306718be3b185f8b0d65571840932916e86
multiply 480: 483 1443 0 2f74666ad2e80617512373e11ad3f7bf2c9e46f3acf000f71a20174d021012a9
recode10 480: 1989 3012 1504 fb8b28d554df168cb40c0df9b7a88ab2604aabe8e1ef741a91ade07319d04fc9
recode16 480: 66501 132036 66016 6faf8a5709e228a48d906845fe9969f4bb42197180acc72808af3fca3631cf7d
release 480: 1999 55 1920 8953eec218a8e18127bdf57100fa0f2d4b05fbe1a7dfb23e71340546f3437415
compare 480: 1227 57 1168 137c1bd07d9e996ae43ba857217a247e788d4eb6e20d74a10ce6456a1fd971fd
select 7616: 15236 22852 7616 fabd1f846a127a86710ae115506f8ea8dbc3a96da889cdf703dfc490527a0760
multiply 7616: 7619 22851 0 ec142e152c0343333dc95fd5dac9bc921ed7ad78e5bf9f4c7560b588edf0ff1c
recode10 7616: 16261 17284 8640 780856215dddd78b294a6c21268e8209cd8ac8a11a8f5fba5754a40becb9f567
release 7616: 1999 55 1920 8953eec218a8e18127bdf57100fa0f2d4b05fbe1a7dfb23e71340546f3437415
compare 7616: 1227 57 1168 137c1bd07d9e996ae43ba857217a247e788d4eb6e20d74a10ce6456a1fd971fd
select 31744: 63492 95236 31744 3123c7c904534df856570a4a118eb387acb8ec1e9b7f06ae9c5890fa25e58dae
multiply 31744: 31747 95235 0 2b3884c113734def299e5c0e39f33b9dc621b0661048e0dc2b12ff2bb0d8f4cc
recode10 31744: 64517 65540 32768 a8e82b993a1b884e6f5b246bc596d55b9ed596229d60b8765899d2048191069b
release 31744: 1999 55 1920 8953eec218a8e18127bdf57100fa0f2d4b05fbe1a7dfb23e71340546f3437415
compare 31744: 1227 57 1168 137c1bd07d9e996ae43ba857217a247e788d4eb6e20d74a10ce6456a1fd971fd
";

fn line(gate: Gate, n: usize) -> String {
    let m = Matrices::of(gate, n).unwrap();
    let mut out = format!(
        "{gate} {n}: {} {} {} ",
        m.constraints, m.instance, m.witness
    );
    for byte in m.digest() {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}

#[test]
fn counts_and_digests_are_the_pinned_ones() {
    let mut lines = Vec::new();
    for n in [480, 7_616, 31_744] {
        for gate in Gate::ALL {
            // recode16's table dwarfs the rows: one shape shows it.
            if gate != (Gate::Recode { bits: 16 }) || n == 480 {
                lines.push(line(gate, n));
            }
        }
    }
    let pinned: Vec<&str> = PINNED.lines().collect();
    assert_eq!(lines, pinned, "\n{}\n", lines.join("\n"));
}

#[test]
fn the_digest_sees_a_single_coefficient() {
    let m = Matrices::of(Gate::Select, 8).unwrap();
    let mut other = m.clone();
    other.abc[2][4][0].0 += ark_bn254::Fr::from(1u64);
    assert_ne!(m.digest(), other.digest());
    let mut other = m.clone();
    other.abc.swap(0, 1);
    assert_ne!(m.digest(), other.digest());
}

#[test]
fn counts_are_those_of_the_specification() {
    for n in [4, 480] {
        let constraints = |gate| Matrices::of(gate, n).unwrap().constraints;
        assert_eq!(constraints(Gate::Select), 2 * n + 4);
        assert_eq!(constraints(Gate::Multiply), n + 3);
        assert_eq!(constraints(Gate::Recode { bits: 4 }), 2 * n + 16 + 1 + 4);
        assert_eq!(constraints(Gate::Release), 24 * 81 + 4 + 51);
        assert_eq!(
            constraints(Gate::Compare),
            24 * 40 + 4 + 2 * (24 + 80 + 1) + 53
        );
    }
}

/// (name, kind, range) of each slot.
fn slots(layout: &Layout) -> Vec<(&'static str, SlotKind, std::ops::Range<usize>)> {
    layout
        .slots
        .iter()
        .enumerate()
        .map(|(i, s)| (s.name, s.kind, layout.range(i)))
        .collect()
}

#[test]
fn the_input_order_is_fixed() {
    use SlotKind::{Free, Public, Total, Vector};
    let l = Gate::Select.layout(8); // 1, ctx, k, ρ, x, y, z
    assert_eq!((l.publics, l.rho(), l.instance()), (2, 3, 28));
    assert_eq!(
        slots(&l),
        [
            ("x", Vector, 4..12),
            ("y", Vector, 12..20),
            ("z", Vector, 20..28)
        ]
    );
    assert_eq!((l.committed(), l.public_slot()), (3..28, 28..28));
    let l = Gate::Multiply.layout(8); // 1, ctx, ρ, x, y, z
    assert_eq!((l.publics, l.rho(), l.instance()), (1, 2, 27));
    assert_eq!(
        slots(&l),
        [
            ("x", Vector, 3..11),
            ("y", Vector, 11..19),
            ("z", Vector, 19..27)
        ]
    );
    assert_eq!((l.committed(), l.public_slot()), (2..27, 27..27));
    let l = Gate::Recode { bits: 4 }.layout(8); // 1, ctx, X, ρ, x, z, m, S
    assert_eq!((l.publics, l.rho(), l.instance()), (2, 3, 52));
    assert_eq!(
        slots(&l),
        [
            ("x", Vector, 4..12),
            ("z", Vector, 12..20),
            ("m", Free, 20..36),
            ("S", Public, 36..52)
        ]
    );
    assert_eq!((l.committed(), l.public_slot()), (3..36, 36..52));
    let l = Gate::Release.layout(8); // 1, ctx, 24 lower bounds, 24 upper ones, ρ, T₁..T₄
    assert_eq!((l.publics, l.rho(), l.instance()), (49, 50, 55));
    assert_eq!(
        slots(&l),
        [
            ("T1", Total, 51..52),
            ("T2", Total, 52..53),
            ("T3", Total, 53..54),
            ("T4", Total, 54..55)
        ]
    );
    assert_eq!((l.committed(), l.public_slot()), (50..55, 55..55));
    let l = Gate::Compare.layout(8); // 1, ctx, twice a constant and 24 weights, ρ, T₁..T₄
    assert_eq!((l.publics, l.rho(), l.instance()), (51, 52, 57));
    assert_eq!(
        slots(&l),
        [
            ("T1", Total, 53..54),
            ("T2", Total, 54..55),
            ("T3", Total, 55..56),
            ("T4", Total, 56..57)
        ]
    );
    assert_eq!((l.committed(), l.public_slot()), (52..57, 57..57));
}

#[test]
fn names_lead_back_to_gates() {
    for gate in Gate::ALL {
        assert_eq!(Gate::from_name(&gate.name()), Some(gate));
    }
    assert_eq!(Gate::from_name("recode4"), None);
}
