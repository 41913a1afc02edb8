//! The folder that keeps a shape's development keys, made gate by gate when first needed.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use ark_std::rand::rngs::OsRng;
use galen_circuits::{
    CircuitError,
    gates::Gate,
    keys::{ProvingKey, VerifyingKey},
    setup,
    srs::{Srs, Tau},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    ParamsError, Progress, Shape, VerifyingSet,
    verifying::{GatePart, circuit_digest, encode},
};

const INDEX: &str = "index.json";
const FORMAT: &str = "galen/development-parameters/v2";

/// What the folder holds; every file is named here with its digest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    format: String,
    warning: String,
    shape: String,
    files: BTreeMap<String, FileEntry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    sha256: String,
    bytes: u64,
}

/// A parameter set with its proving keys on disk; a proving key is read when first asked for.
pub struct ParameterStore {
    folder: PathBuf,
    index: Index,
    shape: Shape,
    verifying_bytes: Vec<u8>,
    verifying: Arc<VerifyingSet>,
    srs: Arc<Srs>,
    loaded: Mutex<BTreeMap<Gate, Arc<ProvingKey>>>,
}

impl std::fmt::Debug for ParameterStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ParameterStore({} in {})",
            self.shape,
            self.folder.display()
        )
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
    cache.join("development-v2").join(shape.name())
}

impl ParameterStore {
    /// Opens the development set of `shape` with `gates` below `cache`, generating what is missing:
    /// a gate's keys are made once and shared by all sets of the shape. Only one process generates at a
    /// time. A development set is insecure: whoever ran this could have kept the secrets.
    ///
    /// # Errors
    /// A damaged file (by digest), a full disk, a folder that cannot be written.
    pub fn open_development(
        cache: &Path,
        shape: Shape,
        gates: &[Gate],
        progress: &dyn Progress,
    ) -> Result<Self, ParamsError> {
        let folder = development_folder(cache, shape);
        fs::create_dir_all(&folder).map_err(io_at(&folder))?;
        let lock_path = folder.join("lock");
        let lock = File::create(&lock_path).map_err(io_at(&lock_path))?;
        lock.lock().map_err(io_at(&lock_path))?;
        let mut gates = gates.to_vec();
        gates.sort();
        gates.dedup();
        let mut index = read_index(&folder, shape)?;
        let srs = generate_missing(&folder, &mut index, shape, &gates, progress)?;
        let verifying_bytes = assemble(&folder, &index, shape, &srs, &gates)?;
        let verifying = Arc::new(VerifyingSet::from_bytes(&verifying_bytes)?);
        Ok(Self {
            folder,
            index,
            shape,
            verifying_bytes,
            verifying,
            srs: Arc::new(srs),
            loaded: Mutex::default(),
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

    /// The commitment string.
    #[must_use]
    pub fn srs(&self) -> Arc<Srs> {
        Arc::clone(&self.srs)
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The folder with the key files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The sizes of a gate's proving and verifying key files, in bytes.
    ///
    /// # Errors
    /// When the set does not hold the gate.
    pub fn key_bytes(&self, gate: Gate) -> Result<(u64, u64), ParamsError> {
        self.verifying.key(gate)?;
        let bytes = |ext| -> Result<u64, ParamsError> {
            let name = key_file(gate, self.shape, ext)?;
            Ok(self.index.files.get(&name).map_or(0, |f| f.bytes))
        };
        Ok((bytes("pk")?, bytes("vk")?))
    }

    /// A gate's proving key, read from disk and checked against its digest when first asked for.
    ///
    /// # Errors
    /// When the set does not hold the gate, or the file is missing or damaged.
    pub fn proving_key(&self, gate: Gate) -> Result<Arc<ProvingKey>, ParamsError> {
        self.verifying.key(gate)?;
        let loaded = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = loaded().get(&gate) {
            return Ok(Arc::clone(key));
        }
        // Not under the lock: building the matrices runs on rayon, whose worker could take up a job that
        // asks for this key again. At worst two callers read the file.
        let name = key_file(gate, self.shape, "pk")?;
        let bytes = read_checked(&self.folder, &self.index, &name)?;
        let key = Arc::new(ProvingKey::read_trusted(gate, self.shape.rows(), &bytes)?);
        loaded().insert(gate, Arc::clone(&key));
        Ok(key)
    }
}

fn read_index(folder: &Path, shape: Shape) -> Result<Index, ParamsError> {
    let path = folder.join(INDEX);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Ok(Index {
                format: FORMAT.into(),
                warning: "INSECURE: generated by one party for development; never use it for real patients"
                    .into(),
                shape: shape.name().into(),
                files: BTreeMap::new(),
            });
        }
        Err(e) => return Err(io_at(&path)(e)),
    };
    let refuse = |why: String| ParamsError::Index {
        path: path.clone(),
        why,
    };
    let index: Index = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
    if index.format != FORMAT || index.shape != shape.name() {
        return Err(refuse("another format or shape".into()));
    }
    Ok(index)
}

/// Makes the string and every missing gate. τ lives only here, and only if the string is new.
fn generate_missing(
    folder: &Path,
    index: &mut Index,
    shape: Shape,
    gates: &[Gate],
    progress: &dyn Progress,
) -> Result<Srs, ParamsError> {
    let srs_file = "srs.bin";
    let missing: Vec<Gate> = gates
        .iter()
        .copied()
        .map(|g| Ok((g, key_file(g, shape, "pk")?)))
        .collect::<Result<Vec<_>, ParamsError>>()?
        .into_iter()
        .filter_map(|(g, name)| (!index.files.contains_key(&name)).then_some(g))
        .collect();
    let has_srs = index.files.contains_key(srs_file);
    let total = missing.len() as u64 + u64::from(!has_srs);
    let (srs, tau) = if has_srs {
        (
            read_srs(&read_checked(folder, index, srs_file)?, shape)?,
            None,
        )
    } else {
        progress.report("development parameters: commitment string", 0, total);
        let tau = Tau::draw(shape.rows(), &mut OsRng);
        let srs = Srs::generate(shape.rows(), &tau);
        let mut bytes = Vec::new();
        srs.serialize_uncompressed(&mut bytes)
            .expect("writing to a Vec cannot fail");
        write_file(folder, index, srs_file, &bytes)?;
        (srs, Some(tau))
    };
    for (done, gate) in (total - missing.len() as u64..).zip(&missing) {
        progress.report(&format!("development parameters: {gate} keys"), done, total);
        let (pk, vk) = setup::generate(*gate, &srs, tau.as_ref(), &mut OsRng)?;
        let mut bytes = Vec::new();
        vk.serialize_uncompressed(&mut bytes)
            .expect("writing to a Vec cannot fail");
        write_file(folder, index, &key_file(*gate, shape, "vk")?, &bytes)?;
        bytes.clear();
        pk.write(&mut bytes).expect("writing to a Vec cannot fail");
        write_file(folder, index, &key_file(*gate, shape, "pk")?, &bytes)?;
    }
    if total > 0 {
        progress.report("development parameters", total, total);
    }
    Ok(srs)
}

fn read_srs(mut bytes: &[u8], shape: Shape) -> Result<Srs, ParamsError> {
    let srs = Srs::deserialize_uncompressed_unchecked(&mut bytes)
        .map_err(|_| ParamsError::Verifying("the commitment string ends early".into()))?;
    if srs.rows() != shape.rows() || !bytes.is_empty() {
        return Err(ParamsError::WrongShape {
            expected: shape.name().into(),
            got: format!("{} rows", srs.rows()),
        });
    }
    Ok(srs)
}

fn assemble(
    folder: &Path,
    index: &Index,
    shape: Shape,
    srs: &Srs,
    gates: &[Gate],
) -> Result<Vec<u8>, ParamsError> {
    let mut parts = Vec::new();
    for gate in gates {
        let bytes = read_checked(folder, index, &key_file(*gate, shape, "vk")?)?;
        let key = VerifyingKey::deserialize_uncompressed_unchecked(&bytes[..]).map_err(|_| {
            CircuitError::Encoding {
                what: "verifying key",
                why: "not a key of this form",
            }
        })?;
        parts.push(GatePart {
            gate: *gate,
            circuit: circuit_digest(*gate, shape)?,
            key,
        });
    }
    Ok(encode(shape, true, &srs.verifying, &parts))
}

/// `<gate>-<circuit digest>.<ext>`: a key of an older circuit is simply not found.
fn key_file(gate: Gate, shape: Shape, ext: &str) -> Result<String, ParamsError> {
    let digest = circuit_digest(gate, shape)?;
    Ok(format!("{gate}-{}.{ext}", hex(&digest[..8])))
}

fn read_checked(folder: &Path, index: &Index, name: &str) -> Result<Vec<u8>, ParamsError> {
    let path = folder.join(name);
    let entry = index.files.get(name).ok_or_else(|| ParamsError::Index {
        path: folder.join(INDEX),
        why: format!("{name} is not listed"),
    })?;
    let bytes = fs::read(&path).map_err(io_at(&path))?;
    let got = hex(&Sha256::digest(&bytes));
    if got != entry.sha256 {
        return Err(ParamsError::Digest {
            path,
            expected: entry.sha256.clone(),
            got,
        });
    }
    Ok(bytes)
}

/// Writes a file and then the index that names it, each atomically.
fn write_file(
    folder: &Path,
    index: &mut Index,
    name: &str,
    bytes: &[u8],
) -> Result<(), ParamsError> {
    write_atomic(folder, name, bytes)?;
    let entry = FileEntry {
        sha256: hex(&Sha256::digest(bytes)),
        bytes: bytes.len() as u64,
    };
    index.files.insert(name.into(), entry);
    let text = serde_json::to_vec_pretty(index).expect("the index is plain data");
    write_atomic(folder, INDEX, &text)
}

fn write_atomic(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ParamsError> {
    let path = folder.join(name);
    let write = || -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(io_at(&path))
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> ParamsError + '_ {
    move |source| ParamsError::Io {
        path: path.to_owned(),
        source,
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}
