//! What is checked of a request's head before anything else.

use axum::{
    extract::Request,
    http::{StatusCode, Version, header},
};

use super::Problem;

/// Bytes of a request's line and headers, at most.
pub const HEAD_BYTES: usize = 64 << 10;

/// The head's length as it came, bytes.
#[derive(Clone, Copy)]
struct Length(usize);

/// Measures the head before anything is added to it.
pub(super) async fn arrived(mut request: Request) -> Request {
    let length = Length(length(&request));
    request.extensions_mut().insert(length);
    request
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

#[cfg(test)]
mod tests {
    use super::*;

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
