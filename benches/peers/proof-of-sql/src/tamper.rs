//! Whether the verifier minds a changed byte: figures of one that accepts everything would say nothing.

use std::{
    error::Error,
    panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe},
};

/// What becomes of the bytes with one bit turned: `refused`, `accepted` or `panicked`.
pub fn outcome<T>(
    bytes: &[u8],
    at: usize,
    verify: impl Fn(&[u8]) -> Result<T, Box<dyn Error>>,
) -> &'static str {
    let mut changed = bytes.to_vec();
    changed[at] ^= 1;
    // A panic is a result here, which needs no trace on standard error.
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let accepted = catch_unwind(AssertUnwindSafe(|| verify(&changed).is_ok()));
    set_hook(hook);
    match accepted {
        Ok(true) => "accepted",
        Ok(false) => "refused",
        Err(_) => "panicked",
    }
}
