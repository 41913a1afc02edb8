//! The folder that keeps a shape's development set, made when first needed.
//!
//! A circuit's verifying key is made at once from a seed of secrets, and its proving key from the same seed when it is
//! first asked for: most hospitals never need the largest.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use ark_std::rand::{Rng, SeedableRng, rngs::OsRng};
use galen_circuits::{
    circuit,
    class::{Class, Size},
    groth16::{self, ProvingKey, VerifyingKey},
    r1cs::Matrices,
    srs::{Srs, VerifyingSrs},
};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::{
    ParamsError, Progress, Shape, VerifyingSet,
    files::{self, Folder, hex},
    verifying::{circuit_digest, encode},
};

const STAGE: &str = "development parameters";

/// A parameter set with its proving keys on disk. The commitment string and each proving key are read when
/// first asked for.
pub struct ParameterStore {
    path: PathBuf,
    folder: Mutex<Folder>,
    shape: Shape,
    verifying_bytes: Vec<u8>,
    verifying: Arc<VerifyingSet>,
    srs: OnceLock<Arc<Srs>>,
    keys: Mutex<BTreeMap<Size, Arc<ProvingKey>>>,
}

impl std::fmt::Debug for ParameterStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let folder = self.path.display();
        write!(f, "ParameterStore({} in {folder})", self.shape)
    }
}

/// The user's cache folder for parameter sets: `$GALEN_CACHE`, else `$XDG_CACHE_HOME/galen`, else
/// `$HOME/.cache/galen`.
///
/// # Errors
/// When none of the three variables is set.
pub fn default_cache() -> Result<PathBuf, ParamsError> {
    let var = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    var("GALEN_CACHE")
        .or_else(|| var("XDG_CACHE_HOME").map(|p| p.join("galen")))
        .or_else(|| var("HOME").map(|p| p.join(".cache/galen")))
        .ok_or(ParamsError::NoCache)
}

/// Where the development set of `shape` is kept below `cache`. The name changes with the form of the keys,
/// so that older ones are left alone rather than misread.
#[must_use]
pub fn development_folder(cache: &Path, shape: Shape) -> PathBuf {
    cache.join("development-v4").join(shape.name())
}

impl ParameterStore {
    /// Opens the development set of `shape` below `cache`, making what is missing. Only one process makes
    /// anything at a time. A development set is insecure: its secrets lie in the folder.
    ///
    /// # Errors
    /// A damaged file (by digest), a full disk, a folder that cannot be written.
    pub fn open_development(
        cache: &Path,
        shape: Shape,
        progress: &dyn Progress,
    ) -> Result<Self, ParamsError> {
        let path = development_folder(cache, shape);
        let _lock = files::lock(&path)?;
        let mut folder = Folder::open(&path, shape)?;
        make_missing(&mut folder, shape, progress)?;
        let verifying_bytes = assemble(&folder, shape)?;
        Ok(Self {
            verifying: Arc::new(VerifyingSet::from_bytes(&verifying_bytes)?),
            path,
            folder: Mutex::new(folder),
            shape,
            verifying_bytes,
            srs: OnceLock::new(),
            keys: Mutex::default(),
        })
    }

    /// The verifying part.
    #[must_use]
    pub fn verifying(&self) -> Arc<VerifyingSet> {
        Arc::clone(&self.verifying)
    }

    /// The bytes of the verifying part, to publish.
    #[must_use]
    pub fn verifying_bytes(&self) -> &[u8] {
        &self.verifying_bytes
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The folder with the key files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.path
    }

    fn files(&self) -> MutexGuard<'_, Folder> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size of a circuit's proving key file, in bytes; 0 before it was first asked for.
    #[must_use]
    pub fn key_bytes(&self, size: Size) -> u64 {
        let name = key_file(self.shape, size, "pk");
        self.files().bytes(&name).unwrap_or_default()
    }

    /// The commitment string, read when first asked for and trusted after its digest.
    ///
    /// # Errors
    /// When the file is missing or damaged, or is not the set's.
    pub fn srs(&self) -> Result<Arc<Srs>, ParamsError> {
        if let Some(srs) = self.srs.get() {
            return Ok(Arc::clone(srs));
        }
        let srs = Srs::read_trusted(&self.files().read(SRS)?)?;
        if srs.verifying() != *self.verifying.srs() {
            return Err(another(SRS));
        }
        Ok(Arc::clone(self.srs.get_or_init(|| Arc::new(srs))))
    }

    /// The proving key of the circuit of that size, made when nobody has asked for it before, else read and trusted
    /// after its digest.
    ///
    /// # Errors
    /// When a file is missing or damaged, or is not the set's.
    pub fn proving_key(&self, size: Size) -> Result<Arc<ProvingKey>, ParamsError> {
        let keys = || self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys().get(&size) {
            return Ok(Arc::clone(key));
        }
        // Not under the lock, which a job that asks for this key again could wait for on the same thread. At
        // worst two callers read the file.
        let name = key_file(self.shape, size, "pk");
        let known = self.files().bytes(&name).is_some();
        let key = match known {
            true => self.read_key(&name)?,
            false => self.make_key(size, &name)?,
        };
        if key.verifying_key() != self.verifying.key(size).key() {
            return Err(another(&name));
        }
        let key = Arc::new(key);
        keys().insert(size, Arc::clone(&key));
        Ok(key)
    }

    fn read_key(&self, name: &str) -> Result<ProvingKey, ParamsError> {
        let bytes = self.files().read(name)?;
        ProvingKey::read_trusted(&mut bytes.as_slice())
            .map_err(|_| ParamsError::Verifying(format!("{name} is not a proving key")))
    }

    fn make_key(&self, size: Size, name: &str) -> Result<ProvingKey, ParamsError> {
        let _lock = files::lock(&self.path)?;
        // Another process may have made it meanwhile.
        *self.files() = Folder::open(&self.path, self.shape)?;
        if self.files().bytes(name).is_some() {
            return self.read_key(name);
        }
        let seed = Zeroizing::new(self.files().read(&key_file(self.shape, size, SEED))?);
        let matrices = own_circuit(self.shape.class(size))?;
        let key = groth16::generate((*matrices).clone(), &mut seeded(&seed)?)?;
        let mut bytes = Vec::new();
        key.write(&mut bytes).expect("writing to a Vec cannot fail");
        if key.verifying_key() != self.verifying.key(size).key() {
            return Err(another(name));
        }
        self.files().write(&[(name.to_owned(), bytes)])?;
        Ok(key)
    }
}

fn another(name: &str) -> ParamsError {
    ParamsError::Verifying(format!("{name} is of another set"))
}

/// The extension of the file with a circuit's secrets.
const SEED: &str = "secret";

fn seeded(seed: &[u8]) -> Result<ChaCha20Rng, ParamsError> {
    let seed = seed
        .try_into()
        .map_err(|_| ParamsError::Verifying("a seed has 32 bytes".into()))?;
    Ok(ChaCha20Rng::from_seed(seed))
}

/// The class's circuit, whose digest is the one that this program has.
fn own_circuit(class: Class) -> Result<Arc<Matrices>, ParamsError> {
    let matrices = circuit::matrices(class);
    if matrices.digest() != circuit_digest(class) {
        let why = format!("this program's {class} circuit is not the one whose digest it has");
        return Err(ParamsError::Verifying(why));
    }
    Ok(matrices)
}

const SRS: &str = "srs.bin";
const SRS_VERIFYING: &str = "srs.vk";

/// Makes the string and every verifying key that the folder lacks; the keys side by side, the largest first.
fn make_missing(
    folder: &mut Folder,
    shape: Shape,
    progress: &dyn Progress,
) -> Result<(), ParamsError> {
    let has_srs = [SRS, SRS_VERIFYING].map(|f| folder.bytes(f).is_some()) == [true; 2];
    let missing: Vec<Size> = Size::ALL
        .into_iter()
        .rev()
        .filter(|size| {
            let files = [SEED, "vk"].map(|ext| key_file(shape, *size, ext));
            files.iter().any(|f| folder.bytes(f).is_none())
        })
        .collect();
    let total = missing.len() as u64 + u64::from(!has_srs);
    if total == 0 {
        return Ok(());
    }
    progress.report(STAGE, 0, total);
    let done = Mutex::new((folder, 0));
    let keep = |files: &[(String, Vec<u8>)]| {
        let (folder, done) = &mut *done.lock().unwrap_or_else(PoisonError::into_inner);
        folder.write(files)?;
        *done += 1;
        progress.report(STAGE, *done, total);
        Ok::<_, ParamsError>(())
    };
    if !has_srs {
        let srs = Srs::generate(shape.chunk_bits(), &mut OsRng)?;
        let verifying = srs.verifying().to_bytes().to_vec();
        keep(&[
            (SRS.into(), srs.to_bytes()),
            (SRS_VERIFYING.into(), verifying),
        ])?;
    }
    missing.into_par_iter().try_for_each(|size| {
        let matrices = own_circuit(shape.class(size))?;
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(OsRng.r#gen());
        let key = groth16::generate_verifying(&matrices, &mut seeded(&*seed)?)?;
        keep(&[
            (key_file(shape, size, SEED), seed.to_vec()),
            (key_file(shape, size, "vk"), key.to_bytes()),
        ])
    })
}

fn assemble(folder: &Folder, shape: Shape) -> Result<Vec<u8>, ParamsError> {
    let srs = VerifyingSrs::from_bytes(&folder.read(SRS_VERIFYING)?)?;
    let keys = Size::ALL
        .into_iter()
        .map(|size| {
            let bytes = folder.read(&key_file(shape, size, "vk"))?;
            Ok(VerifyingKey::from_bytes(&bytes)?)
        })
        .collect::<Result<Vec<_>, ParamsError>>()?;
    Ok(encode(shape, true, &srs, &keys))
}

/// `<class>-<circuit digest>.<ext>`: a key of an older circuit is simply not found.
fn key_file(shape: Shape, size: Size, ext: &str) -> String {
    let class = shape.class(size);
    format!("{class}-{}.{ext}", hex(&circuit_digest(class)[..8]))
}
