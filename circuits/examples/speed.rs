use ark_std::rand::rngs::OsRng;
use galen_circuits::{column::Column, gates::*, hash::ChallengeInput, srs::*, *};
use std::time::Instant;
fn t<T>(what: &str, f: impl FnOnce() -> T) -> T {
    let s = Instant::now();
    let r = f();
    println!("{what}: {:.1} ms", s.elapsed().as_secs_f64() * 1e3);
    r
}
fn main() {
    let n: usize = std::env::args()
        .nth(1)
        .map(|a| a.parse().unwrap())
        .unwrap_or(31744);
    let tau = Tau::draw(n, &mut OsRng);
    let srs = t("srs", || Srs::generate(n, &tau));
    let mut keys = vec![];
    for gate in [
        Gate::Select,
        Gate::Multiply,
        Gate::Recode { bits: 10 },
        Gate::Release,
    ] {
        let k = t(&format!("setup {gate}"), || {
            setup::generate(gate, &srs, Some(&tau), &mut OsRng).unwrap()
        });
        println!("   rows {}", k.0.matrices.constraints);
        keys.push((k.0, keys::PreparedKey::new(gate, n, k.1).unwrap()));
    }
    let ctx = Fr::from(77u64);
    let id = [1u8; 32];
    let age = Column::commit(
        &srs,
        (0..n as u64).map(|i| Fr::from((i * 7919) % 1000)).collect(),
    )
    .unwrap();
    let age = t("commit 10-bit column", || {
        Column::commit(&srs, age.values().to_vec()).unwrap()
    });
    let set = [(40u64, 500u64)];
    let z = t("commit bit column", || {
        Column::commit(
            &srs,
            (0..n as u64)
                .map(|i| Fr::from(((40..=500).contains(&((i * 7919) % 1000))) as u64))
                .collect(),
        )
        .unwrap()
    });
    let input = ChallengeInput {
        parameter_set: &id,
        gate: "recode10",
        ctx,
        chunk: 0,
        set: &set,
        x: age.commitment(),
        z: z.commitment(),
    };
    for _ in 0..2 {
        t("recode10", || {
            prove::recode(&keys[2].0, &input, [&age, &z]).unwrap()
        });
    }
    let pr = prove::recode(&keys[2].0, &input, [&age, &z]).unwrap();
    let present = Column::present(&srs.verifying, n - 5).unwrap();
    let x = Column::combination(n, &[(Fr::from(1u64), &present), (Fr::from(1u64), &z)]).unwrap();
    let ones = Column::constant(&srs.verifying, Fr::from(1u64));
    let sel = |y: &Column| {
        Column::commit(
            &srs,
            x.values()
                .iter()
                .zip(y.values())
                .map(|(x, y)| {
                    if *x == Fr::from(2u64) {
                        *y
                    } else {
                        Fr::from(0u64)
                    }
                })
                .collect(),
        )
        .unwrap()
    };
    let z1 = sel(&ones);
    for _ in 0..3 {
        t("select ones", || {
            prove::select(&keys[0].0, ctx, 2, [&x, &ones, &z1]).unwrap()
        });
    }
    let shift = Fr::from(1u64 << 40);
    let pay = Column::combination(n, &[(Fr::from(1u64), &ones), (shift, &age)]).unwrap();
    let z2 = t("commit payload", || sel(&pay));
    let p2 = t("select payload", || {
        prove::select(&keys[0].0, ctx, 2, [&x, &pay, &z2]).unwrap()
    });
    let sq = Column::commit(&srs, age.values().iter().map(|v| *v * v).collect()).unwrap();
    let pm = t("multiply", || {
        prove::multiply(&keys[1].0, ctx, [&age, &age, &sq]).unwrap()
    });
    let zero = Column::constant(&srs.verifying, Fr::from(0u64));
    let total: Fr = z2.values().iter().sum();
    let limbs =
        release::all_limbs(&[total, Fr::from(0u64), Fr::from(0u64), Fr::from(0u64)]).unwrap();
    let mut is_count = [false; release::LIMBS];
    is_count[0] = true;
    let st = release::Statement::of_limbs(11, true, is_count, &limbs);
    println!("{:?}", &st.published[..3]);
    let prl = t("release", || {
        prove::release(&keys[3].0, ctx, &st, [&z2, &zero, &zero, &zero]).unwrap()
    });
    let claims = vec![
        batch::Claim {
            key: &keys[2].1,
            publics: vec![ctx, input.challenge(&pr.d)],
            set: &set,
            columns: vec![age.commitment(), z.commitment()],
            proof: pr,
        },
        batch::Claim {
            key: &keys[0].1,
            publics: vec![ctx, Fr::from(2u64)],
            set: &[],
            columns: vec![x.commitment(), pay.commitment(), z2.commitment()],
            proof: p2,
        },
        batch::Claim {
            key: &keys[1].1,
            publics: vec![ctx],
            set: &[],
            columns: vec![age.commitment(), age.commitment(), sq.commitment()],
            proof: pm,
        },
        batch::Claim {
            key: &keys[3].1,
            publics: [vec![ctx], st.publics()].concat(),
            set: &[],
            columns: vec![
                z2.commitment(),
                zero.commitment(),
                zero.commitment(),
                zero.commitment(),
            ],
            proof: prl,
        },
    ];
    for _ in 0..3 {
        t("verify 4", || batch::verify(&id, &claims).unwrap());
    }
    let many: Vec<_> = (0..19)
        .map(|i| claims[i % 3].clone())
        .chain([claims[3].clone()])
        .collect();
    for _ in 0..3 {
        t("verify 20", || batch::verify(&id, &many).unwrap());
    }
    let loops: usize = std::env::args()
        .nth(2)
        .map(|a| a.parse().unwrap())
        .unwrap_or(0);
    let s = Instant::now();
    for _ in 0..loops {
        batch::verify(&id, &many).unwrap();
    }
    if loops > 0 {
        println!("verify 20 mean {:?}", s.elapsed() / loops as u32);
        let b = pr.to_bytes();
        let s = Instant::now();
        for _ in 0..loops {
            for _ in 0..20 {
                prove::Proof::from_bytes(&b).unwrap();
            }
        }
        println!("decode 20 mean {:?}", s.elapsed() / loops as u32);
    }
    let b = pr.to_bytes();
    t("decode 20", || {
        for _ in 0..20 {
            prove::Proof::from_bytes(&b).unwrap();
        }
    });
    let mut buf = vec![];
    t("write pk", || keys[0].0.write(&mut buf).unwrap());
    println!("{} MB", buf.len() >> 20);
    t("read pk", || {
        keys::ProvingKey::read_trusted(Gate::Select, n, &buf).unwrap()
    });
}
