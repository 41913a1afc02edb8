//! What is checked of a request's head before anything else, and what the log says of it.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode, Version, header},
};

use super::Problem;

/// Bytes of a request's line and headers, at most.
pub const HEAD_BYTES: usize = 64 << 10;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client.
const ID_CHARACTERS: usize = 64;

/// How much of a method and of a path the log repeats: a client chooses both.
const METHOD_BYTES: usize = 16;
const PATH_BYTES: usize = 200;

/// The head's length as it came, bytes.
#[derive(Clone, Copy)]
struct Length(usize);

/// Measures the head before anything is added to it, and drops an id that the log should not repeat; the request is
/// given another then.
pub(super) async fn arrived(mut request: Request) -> Request {
    let length = Length(length(&request));
    request.extensions_mut().insert(length);
    if !has_proper_id(request.headers()) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

fn has_proper_id(headers: &HeaderMap) -> bool {
    let mut ids = headers.get_all(REQUEST_ID).iter();
    let (Some(id), None) = (ids.next(), ids.next()) else {
        return false;
    };
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    (1..=ID_CHARACTERS).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

/// Refuses what names no host or two (RFC 9112, 3.2), so that a proxy in front and this service cannot think of
/// different ones; and a head beyond its limit, of which hyper's buffer is only a rough one.
pub(super) async fn checked(request: Request) -> Result<Request, Problem> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let may_be_none = request.version() < Version::HTTP_11;
    match hosts {
        1 => {}
        0 if may_be_none => {}
        0 => return Err(Problem::bad_request("the Host header is missing")),
        _ => return Err(Problem::bad_request(format!("{hosts} Host headers"))),
    }
    let length = request.extensions().get::<Length>();
    if length.is_some_and(|Length(bytes)| *bytes > HEAD_BYTES) {
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            format!("the request's line and headers have more than {HEAD_BYTES} bytes"),
        ));
    }
    Ok(request)
}

/// The head's length as it is usually written: with one space after each colon.
fn length(request: &Request) -> usize {
    let line = request.method().as_str().len() + request.uri().to_string().len();
    let line = line + "  HTTP/1.1\r\n".len();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    line + headers.sum::<usize>() + "\r\n".len()
}

/// Whatever is logged during a request names it.
pub(super) fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get(REQUEST_ID);
    let id = id.and_then(|v| v.to_str().ok());
    let method = cut(request.method().as_str(), METHOD_BYTES);
    let path = cut(request.uri().path(), PATH_BYTES);
    tracing::error_span!("request", id, method, path)
}

fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn ids(ids: &[&str]) -> HeaderMap {
        let one = |id: &&str| (REQUEST_ID, HeaderValue::from_str(id).unwrap());
        ids.iter().map(one).collect()
    }

    #[test]
    fn ids_are_short_and_of_plain_characters() {
        let (longest, longer) = ("a".repeat(64), "a".repeat(65));
        for id in ["7", "Az09._-", longest.as_str()] {
            assert!(has_proper_id(&ids(&[id])), "{id}");
        }
        for id in ["", "a b", "a\"b", "a/b", longer.as_str()] {
            assert!(!has_proper_id(&ids(&[id])), "{id}");
        }
        let mut twice = ids(&["a"]);
        twice.append(REQUEST_ID, HeaderValue::from_static("b"));
        assert!(!has_proper_id(&twice) && !has_proper_id(&ids(&[])));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("/v1", 200), "/v1");
        assert_eq!(cut("aé", 2), "a");
    }

    #[test]
    fn a_heads_length_is_that_of_its_bytes() {
        let head = "GET /v1/log?a=b HTTP/1.1\r\nhost: x\r\nx-y: zz\r\n\r\n";
        let request = Request::get("/v1/log?a=b")
            .header("host", "x")
            .header("x-y", "zz");
        let request = request.body(axum::body::Body::empty()).unwrap();
        assert_eq!(length(&request), head.len());
    }
}
