/// Where long work reports how far it is; implemented by the command line's progress bars.
pub trait Progress: Sync {
    /// `done` of `total` steps of `stage` are finished. Called with 0 when the stage starts; stages
    /// may follow one another under the same or another name.
    fn report(&self, stage: &str, done: u64, total: u64);
}

/// Reports nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _stage: &str, _done: u64, _total: u64) {}
}
