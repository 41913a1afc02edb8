//! Submitting statements.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json,
    body::Bytes,
    extract::{
        FromRequest, Multipart, Request, State,
        multipart::{Field, MultipartError},
    },
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use galen_ledger::{Proposal, known_by, statement::Statement, tiles::MAX_ENTRY_BYTES};
use galen_query::text::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::{
    Collection, JSON_BODY, Problem,
    body::{self, Incoming, add, media_type, too_large},
    entries::{Inclusion, inclusion},
    extract::{PathOf, QueryOf},
};
use crate::service::{Room, Service, ServiceError};

/// How long a submitter who asks for it waits for a checkpoint.
const PUBLICATION: std::time::Duration = std::time::Duration::from_secs(10);

/// A signed statement: a DSSE envelope.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
#[schema(rename_all = "camelCase")]
pub struct Envelope {
    /// `application/vnd.galen.<kind>.v1+json`
    #[schema(example = "application/vnd.galen.query.v1+json")]
    payload_type: String,
    /// The statement's JSON, padded standard base64.
    payload: String,
    /// One signature or more, each by another key.
    signatures: Vec<EnvelopeSignature>,
}

/// A signature of an envelope.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct EnvelopeSignature {
    /// SHA-256 of the 32-byte ed25519 public key, lower-case hex.
    keyid: String,
    /// ed25519 over DSSE's pre-authentication encoding, padded standard base64.
    sig: String,
}

/// A statement with its files.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Upload {
    /// The envelope; it comes first.
    statement: Envelope,
    /// Every file that the statement names and the service does not hold, one part each.
    #[schema(format = Binary)]
    blob: Vec<u8>,
}

/// What to wait for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wait {
    /// `published`: answer when a checkpoint covers the entry, with its inclusion proof.
    wait: Option<WaitFor>,
}

/// What to wait for.
#[derive(Deserialize, ToSchema, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum WaitFor {
    /// The entry is durable: the index is final.
    Durable,
    /// A signed checkpoint covers it.
    Published,
}

/// A statement's place in the log. It is durable.
#[derive(Serialize, ToSchema)]
pub struct Receipt {
    /// The entry's index, from 0.
    index: u64,
    /// The statement's kind.
    kind: &'static str,
    /// What it is known by.
    digest: String,
    /// Whether the same bytes were recorded before.
    duplicate: bool,
    /// Where the entry is.
    entry: String,
    /// The inclusion proof, if it was waited for and came in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    inclusion: Option<Inclusion>,
}

/// Submit a signed statement
///
/// The body is a DSSE envelope, or `multipart/form-data` whose first part `statement` is the envelope and whose
/// other parts are the files that it names. Signatures, the rules of the ledger, documents and every proof are
/// checked before anything is recorded; a refused statement leaves no entry. Submitting the same bytes again
/// gives the same index.
#[utoipa::path(post, path = "/v1/{collection}", tag = "statements",
    params(("collection" = Collection, Path), Wait),
    request_body(content(
        (Envelope = "application/json"),
        (Upload = "multipart/form-data"),
    )),
    responses(
        (status = 201, description = "recorded", body = Receipt),
        (status = 200, description = "recorded before", body = Receipt),
        (status = 400, body = super::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 403, body = super::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 404, body = super::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 409, body = super::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 413, body = super::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 415, body = super::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 422, body = super::problem::ProblemBody, content_type = "application/problem+json"),
        (status = 503, body = super::problem::ProblemBody, content_type = "application/problem+json"),
    ))]
pub async fn submit(
    State(service): State<Arc<Service>>,
    PathOf(collection): PathOf<Collection>,
    QueryOf(wait): QueryOf<Wait>,
    request: Request,
) -> Result<Response, Problem> {
    let accepted = match media_type(request.headers()).as_str() {
        "application/json" => {
            let mut room = service.rooms().statement();
            let bytes = body::whole(request, JSON_BODY, &mut room).await?;
            one(&service, collection, &bytes).await?
        }
        "multipart/form-data" => multipart(&service, collection, request).await?,
        other => {
            let detail = format!(
                "the body is of type {other:?}; send application/json or multipart/form-data"
            );
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "unsupported-media-type", detail));
        }
    };
    respond(&service, accepted, wait.wait).await
}

/// A statement that is recorded.
struct Accepted {
    index: u64,
    kind: &'static str,
    digest: String,
    duplicate: bool,
}

async fn one(
    service: &Arc<Service>,
    collection: Collection,
    bytes: &[u8],
) -> Result<Accepted, Problem> {
    let read = service.read(bytes).await;
    let proposal = match &read {
        // Whether it was recorded before is for the sequencer to say: there is nothing to do before that.
        Ok(proposal) if proposal.statement().blobs().is_empty() => {
            of_kind(collection, proposal.statement())?;
            read?
        }
        _ => match begin(service, collection, bytes, read).await? {
            Begun::Recorded(accepted) => return Ok(accepted),
            Begun::New(proposal) => *proposal,
        },
    };
    finish(service, proposal, Vec::new(), service.rooms().signed()).await
}

/// What is known of an envelope before its files are looked at.
enum Begun {
    /// The same bytes were recorded before: whoever signed them and whatever has changed since.
    Recorded(Accepted),
    /// Its signatures hold, and no rule stands against it.
    New(Box<Proposal>),
}

async fn begin(
    service: &Service,
    collection: Collection,
    bytes: &[u8],
    read: Result<Proposal, ServiceError>,
) -> Result<Begun, Problem> {
    if let Some((index, statement)) = service.recorded(bytes).await? {
        of_kind(collection, &statement)?;
        let digest = known_by(&statement).unwrap_or_else(|| hex(&Sha256::digest(bytes)));
        let kind = statement.kind();
        return Ok(Begun::Recorded(Accepted {
            index,
            kind,
            digest,
            duplicate: true,
        }));
    }
    let proposal = read?;
    of_kind(collection, proposal.statement())?;
    service.precheck(&proposal).await?;
    Ok(Begun::New(Box::new(proposal)))
}

fn of_kind(collection: Collection, statement: &Statement) -> Result<(), Problem> {
    let kind = statement.kind();
    if kind == collection.kind() {
        return Ok(());
    }
    let right = Collection::of(statement).map_or("elsewhere", Collection::path);
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "another-kind",
        format!("this is a statement of kind {kind}; submit it to /v1/{right}"),
    ))
}

/// In a task of its own: a client that goes away neither stops the work that was begun nor gets its room for the next.
async fn finish(
    service: &Arc<Service>,
    proposal: Proposal,
    blobs: Vec<Bytes>,
    room: Room,
) -> Result<Accepted, Problem> {
    let (kind, digest) = (proposal.statement().kind(), proposal.digest());
    let service = Arc::clone(service);
    let accepted = tokio::spawn(async move { service.accept(proposal, &blobs, room).await });
    let receipt = accepted.await.map_err(|e| Problem::internal(&e))??;
    Ok(Accepted {
        index: receipt.index,
        kind,
        digest,
        duplicate: receipt.duplicate,
    })
}

/// The envelope first: its signatures are checked before a byte of the files is kept.
async fn multipart(
    service: &Arc<Service>,
    collection: Collection,
    request: Request,
) -> Result<Accepted, Problem> {
    let (head, body) = request.into_parts();
    let body = Incoming::new(body);
    let used = Arc::new(AtomicUsize::new(0));
    let paced = Request::from_parts(head, body.paced(Arc::clone(&used)));
    let accepted = parts(service, collection, paced, &used).await;
    body.drain().await;
    accepted
}

async fn parts(
    service: &Arc<Service>,
    collection: Collection,
    request: Request,
    used: &AtomicUsize,
) -> Result<Accepted, Problem> {
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|e| Problem::bad_request(e.body_text()))?;
    let first = parts.next_field().await.map_err(malformed)?;
    let Some(first) = first.filter(|f| f.name() == Some("statement")) else {
        return Err(Problem::bad_request(
            "multipart/form-data: the first part is named `statement` and holds the envelope",
        ));
    };
    let mut envelope = service.rooms().statement();
    let bytes = read_part(first, MAX_ENTRY_BYTES, &mut envelope, used).await?;
    let read = service.read(&bytes).await;
    let proposal = match begin(service, collection, &bytes, read).await? {
        Begun::Recorded(accepted) => return Ok(accepted),
        Begun::New(proposal) => *proposal,
    };
    let mut room = service.rooms().signed();
    let mut sizes: Vec<u64> = proposal
        .statement()
        .blobs()
        .iter()
        .map(|(_, b)| b.bytes)
        .collect();
    sizes.sort_unstable();
    let mut blobs = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        // Parts may come in any order: none is larger than the largest that is named.
        let Some(most) = sizes.last().filter(|_| blobs.len() < sizes.len()) else {
            return Err(Problem::bad_request(
                "more parts than the statement names files",
            ));
        };
        let limit = usize::try_from(*most)
            .unwrap_or(usize::MAX)
            .min(service.limits().blob);
        blobs.push(Bytes::from(read_part(part, limit, &mut room, used).await?));
    }
    finish(service, proposal, blobs, room).await
}

fn malformed(e: MultipartError) -> Problem {
    if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    // What the reader of parts says is general; what it was told is not.
    let mut why: &dyn Error = &e;
    while let Some(source) = why.source() {
        why = source;
    }
    Problem::bad_request(format!("multipart/form-data: {why}"))
}

async fn read_part(
    mut part: Field<'_>,
    limit: usize,
    room: &mut Room,
    used: &AtomicUsize,
) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    loop {
        let Some(chunk) = part.chunk().await.map_err(malformed)? else {
            return Ok(bytes);
        };
        add(&mut bytes, &chunk, limit, room)?;
        used.fetch_add(chunk.len(), Ordering::Relaxed);
    }
}

async fn respond(
    service: &Service,
    accepted: Accepted,
    wait: Option<WaitFor>,
) -> Result<Response, Problem> {
    let index = accepted.index;
    let inclusion = if wait == Some(WaitFor::Published) {
        match tokio::time::timeout(PUBLICATION, service.published_beyond(index)).await {
            Ok(true) => Some(inclusion(service, index).await?),
            // It is recorded all the same: the receipt says so, and the proof can be fetched later.
            Ok(false) | Err(_) => None,
        }
    } else {
        None
    };
    let entry = format!("/v1/entries/{index}");
    let status = if accepted.duplicate {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let location = HeaderValue::from_str(&entry).expect("a path of digits");
    let receipt = Receipt {
        index,
        kind: accepted.kind,
        digest: accepted.digest,
        duplicate: accepted.duplicate,
        entry,
        inclusion,
    };
    Ok((status, [(header::LOCATION, location)], Json(receipt)).into_response())
}
