//! Errors as problem details (RFC 9457), and extractors that answer with them.

use crate::store::StoreError;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use gate_types::api::Problem;
use serde::de::DeserializeOwned;

/// What is not available is asked for again after so many seconds.
const RETRY_S: &str = "2";

/// An answer that says what is wrong, where, and what to do.
#[derive(Debug)]
pub(crate) struct ApiProblem {
    status: StatusCode,
    title: &'static str,
    detail: String,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $title:literal;)*) => {
        impl ApiProblem {
            $($(#[$doc])* pub(crate) fn $name(detail: impl Into<String>) -> Self {
                Self { status: StatusCode::$status, title: $title, detail: detail.into() }
            })*
        }
    };
}

problems! {
    /// The request is not of the agreed form.
    malformed = BAD_REQUEST, "malformed request";
    /// No or a wrong credential.
    unauthorised = UNAUTHORIZED, "not authorised";
    /// The credential does not give this right.
    forbidden = FORBIDDEN, "forbidden";
    /// There is nothing of that name.
    missing = NOT_FOUND, "not found";
    /// The method is not served here.
    method = METHOD_NOT_ALLOWED, "method not allowed";
    /// It contradicts what is stored.
    conflict = CONFLICT, "conflict";
    /// The version named in `If-Match` is not the stored one.
    stale = PRECONDITION_FAILED, "changed meanwhile";
    /// Not now.
    unavailable = SERVICE_UNAVAILABLE, "not available now";
    /// Well formed, but the values do not hold.
    invalid = UNPROCESSABLE_ENTITY, "values do not hold";
}

impl ApiProblem {
    /// Central's own failure: the cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request could not be served");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "central failed",
            detail: "central could not serve this; its log names the cause; the request may be repeated"
                .to_owned(),
        }
    }
}

impl From<StoreError> for ApiProblem {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Nul => Self::invalid(e.to_string()),
            StoreError::Unavailable(_) => {
                tracing::warn!(error = %e, "a request waits for the database");
                Self::unavailable(
                    "central's database cannot be reached; what was acknowledged is kept; send this again, \
                     with the same key where it has one",
                )
            }
            StoreError::Sqlite(_)
            | StoreError::Postgres(_)
            | StoreError::Content { .. }
            | StoreError::Newer { .. }
            | StoreError::Address(_)
            | StoreError::Backup(_)
            | StoreError::System(_)
            | StoreError::Stopped => Self::internal(e),
        }
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let body =
            Problem { title: self.title.to_owned(), status: self.status.as_u16(), detail: self.detail };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_S));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A JSON body.
pub(crate) struct Sent<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiProblem> {
        let path = request.uri().path().to_owned();
        let bytes = Bytes::from_request(request, state).await.map_err(|e| ApiProblem {
            status: e.status(),
            title: "body not usable",
            detail: format!("body of {path}: {}; send at most 1 MiB of JSON", e.body_text()),
        })?;
        serde_json::from_slice(&bytes)
            .map(Sent)
            .map_err(|e| ApiProblem::malformed(format!("body of {path}: {e}; correct it and send it again")))
    }
}

/// The query's parameters.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiProblem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Asked(asked))
            .map_err(|e| ApiProblem::malformed(format!("query of {}: {}", parts.uri.path(), e.body_text())))
    }
}

/// For a path that nothing serves.
pub(crate) async fn no_such_path(request: Request) -> ApiProblem {
    ApiProblem::missing(format!("nothing is served at {}", request.uri().path()))
}

/// For a method that a path does not serve.
pub(crate) async fn no_such_method(request: Request) -> ApiProblem {
    ApiProblem::method(format!("{} does not serve {}", request.uri().path(), request.method()))
}
