//! Object storage by its address, `s3://bucket/prefix`: Amazon's or any that speaks its protocol.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use object_store::{
    BackoffConfig, ClientOptions, Error, ObjectStore, ObjectStoreExt as _, PutMode, RetryConfig,
    UpdateVersion, aws::AmazonS3Builder, path::Path, prefix::PrefixStore,
};

use super::LedgerStoreError;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(3);

/// How long one attempt at a request may take.
const ATTEMPT: Duration = Duration::from_secs(10);

/// So often is a request repeated that the store could not serve.
const RETRIES: usize = 3;

/// After so long it is not repeated any more: whoever waits is told that the store is away.
const PATIENCE: Duration = Duration::from_secs(15);

/// So often is a store tried that fails.
const TRIALS: u32 = 3;

/// Opens a bucket's prefix. Credentials, region and endpoint are those that AWS's own programs take from the environment.
///
/// # Errors
/// [`LedgerStoreError::Bucket`]: an address or an environment that tells nothing.
pub(super) fn open(url: &str) -> Result<Arc<dyn ObjectStore>, LedgerStoreError> {
    // What stands before an @ would be a secret.
    let shown = url.rsplit_once('@').map_or(url, |_| "s3://…@…");
    let refused = |why: String| LedgerStoreError::Bucket {
        url: shown.to_owned(),
        why,
    };
    let address = url.strip_prefix("s3://");
    let address =
        address.ok_or_else(|| refused("give an address as s3://bucket/prefix".to_owned()))?;
    let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
    if !is_name(bucket) {
        return Err(refused(
            "name the bucket, as s3://bucket/prefix: 3 to 63 lower-case letters, digits, dots and hyphens"
                .to_owned(),
        ));
    }
    check_endpoint().map_err(refused)?;
    let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|e| refused(e.to_string()))?;
    // A provider that is there already, from an earlier call, does as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_client_options(client())
        .with_retry(retries())
        .build()
        .map_err(|e| refused(e.to_string()))?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

/// Whether a bucket can have this name.
fn is_name(bucket: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
    (3..=63).contains(&bucket.len()) && bucket.bytes().all(allowed)
}

/// Refuses an endpoint that is no URL, which the library panics at, and one without TLS that is not asked for.
fn check_endpoint() -> Result<(), String> {
    for name in ENDPOINTS {
        let Ok(url) = std::env::var(name) else {
            continue;
        };
        let host = url.strip_prefix("https://").or(url.strip_prefix("http://"));
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
            return Err(format!(
                "{name} is {url:?}: give it as https://host or https://host:port, or leave it out"
            ));
        }
        if url.starts_with("http://") && !plain_allowed() {
            return Err(format!(
                "{name} is {url}, without TLS: set AWS_ALLOW_HTTP=true if that is meant, or use https://"
            ));
        }
    }
    Ok(())
}

/// What the environment says where the store is.
const ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Whether a store without TLS is meant.
fn plain_allowed() -> bool {
    std::env::var("AWS_ALLOW_HTTP").is_ok_and(|v| v.eq_ignore_ascii_case("true") || v == "1")
}

fn client() -> ClientOptions {
    // What the environment says of the client (AWS_ALLOW_HTTP) would be lost with other options.
    let plain = plain_allowed();
    ClientOptions::new()
        .with_connect_timeout(CONNECT)
        .with_timeout(ATTEMPT)
        .with_allow_http(plain)
}

fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: PATIENCE,
    }
}

/// Makes sure that a store can be written to, that it does not create what is there, and that it replaces by
/// compare-and-swap. A store that overlooks conditions would let a late or second writer take the place of what others
/// have read.
///
/// # Errors
/// [`LedgerStoreError::Unconditional`], or the store's.
pub(super) async fn try_conditions(store: &dyn ObjectStore) -> Result<(), LedgerStoreError> {
    let mut attempts = 1;
    loop {
        let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let path = Path::from(format!("trial/{}-{now}", std::process::id()));
        match conditions(store, &path).await {
            Ok(None) => return Ok(()),
            Ok(Some(what)) => return Err(LedgerStoreError::Unconditional { what }),
            Err(Error::NotImplemented { .. }) => {
                let what = "conditions (it says that it has none)";
                return Err(LedgerStoreError::Unconditional { what });
            }
            Err(e) if attempts == TRIALS || is_final(&e) => {
                return Err(LedgerStoreError::object(&path)(e));
            }
            // Lost, or done and repeated because its answer was lost, and then refused.
            Err(_) => attempts += 1,
        }
    }
}

/// Whether the same would be answered the next time: no such bucket, no right to it.
fn is_final(error: &Error) -> bool {
    use Error::{NotFound, PermissionDenied, Unauthenticated};
    matches!(
        error,
        NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. }
    )
}

/// The condition that the store overlooks, if it does one.
async fn conditions(store: &dyn ObjectStore, path: &Path) -> Result<Option<&'static str>, Error> {
    let create = || PutMode::Create.into();
    let first = store.put_opts(path, "1".into(), create()).await?;
    let created = store.put_opts(path, "2".into(), create()).await;
    if !matches!(created, Err(Error::AlreadyExists { .. })) {
        created?;
        return Ok(Some("If-None-Match: *"));
    }
    store.put(path, "3".into()).await?;
    let first = UpdateVersion::from(first);
    let swapped = store.put_opts(path, "4".into(), PutMode::Update(first).into());
    let swapped = swapped.await;
    if !matches!(swapped, Err(Error::Precondition { .. })) {
        swapped?;
        return Ok(Some("If-Match"));
    }
    store.delete(path).await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_refused_with_their_cause() {
        for (url, why) in [
            ("/var/lib/files", "s3://bucket/prefix"),
            ("gs://bucket/prefix", "s3://bucket/prefix"),
            ("s3://", "name the bucket"),
            ("s3:///prefix", "name the bucket"),
            ("s3://key:secret@bucket/prefix", "name the bucket"),
            ("s3://b x/prefix", "name the bucket"),
            ("s3://bucket/a//b", "a//b"),
        ] {
            let error = open(url).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
            assert_eq!(error.contains(url), !url.contains('@'), "{error}");
        }
    }
}
