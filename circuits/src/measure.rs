//! For the ignored tests that measure: CPU time, since the machine may be shared.

/// Calls `f` on a pool of one thread for about a second, and prints the mean of the process's CPU
/// time: in ms, and in ns for each of the `per` things that a call does.
pub(crate) fn measure<T: Send>(name: &str, per: usize, f: impl Fn() -> T + Sync) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
    let seconds = pool.build().unwrap().install(|| {
        let (start, mut calls) = (cpu_seconds(), 0.0);
        loop {
            std::hint::black_box(f());
            calls += 1.0;
            let spent = cpu_seconds() - start;
            if spent >= 1.0 {
                return spent / calls;
            }
        }
    });
    let (ms, ns) = (seconds * 1e3, seconds * 1e9 / per as f64);
    println!("{name:<32} {ms:>9.3} ms {ns:>10.1} ns each");
}

/// The CPU time of all threads, in steps of 10 ms: `utime` and `stime` of Linux's `/proc/self/stat`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("measured on Linux");
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields = fields.split_whitespace().skip(11).take(2);
    fields
        .map(|ticks| ticks.parse::<f64>().unwrap() / 100.0)
        .sum()
}
