//! The two pages over HTTP/1.1. One request per connection, nothing but GET, everything bounded: it is for a scraper, not for the world.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tracing::debug;

use crate::shell::intake::Intake;
use crate::shell::node::Event;
use crate::shell::serve::{Tasks, pause_accepting};

use super::{Look, metrics};

/// Most connections at a time; whoever comes then waits to be accepted.
const CONNECTIONS_MAX: usize = 16;

/// How long one connection may take from its beginning to its end, and its request's head to come.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest head of a request, bytes and headers.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;

type Page = Response<Full<Bytes>>;

/// Serves for ever.
pub(in crate::shell) async fn accept(
    listener: TcpListener,
    log_dir: PathBuf,
    intake: Intake,
    tasks: Tasks,
) {
    let log_dir: Arc<Path> = log_dir.into();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // The semaphore is never closed.
    while let Ok(place) = room.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, address)) => {
                let serving = serve(stream, log_dir.clone(), intake.clone());
                tasks.spawn(async move {
                    match timeout(CONNECTION_TIMEOUT, serving).await {
                        Ok(Ok(())) => {}
                        Ok(Err(error)) => debug!(%address, %error, "a scraper is dropped"),
                        Err(_) => debug!(%address, "a scraper is dropped: it took too long"),
                    }
                    drop(place);
                });
            }
            Err(error) => pause_accepting(&error).await,
        }
    }
}

async fn serve(stream: TcpStream, log_dir: Arc<Path>, intake: Intake) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let (log_dir, intake) = (log_dir.clone(), intake.clone());
        async move { Ok::<_, Infallible>(answer(&request, &log_dir, &intake).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer(request: &Request<Incoming>, log_dir: &Path, intake: &Intake) -> Page {
    let path = request.uri().path();
    if !matches!(path, "/metrics" | "/health") {
        let text = "there is nothing here: try /metrics or /health\n";
        return page(StatusCode::NOT_FOUND, text);
    }
    if request.method() != Method::GET {
        let mut refusal = page(
            StatusCode::METHOD_NOT_ALLOWED,
            "this can only be read: GET\n",
        );
        let allowed = HeaderValue::from_static("GET");
        refusal.headers_mut().insert(ALLOW, allowed);
        return refusal;
    }
    let Some(mut look) = look(intake).await else {
        return page(StatusCode::SERVICE_UNAVAILABLE, "the node is stopping\n");
    };
    if path == "/metrics" {
        look.log_bytes = bytes_in(log_dir).await;
        let mut page = page(StatusCode::OK, look.metrics());
        let format = HeaderValue::from_static(metrics::CONTENT_TYPE);
        page.headers_mut().insert(CONTENT_TYPE, format);
        return page;
    }
    let health = look.health();
    let status = if health.healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let json = serde_json::to_string_pretty(&health).unwrap_or_default();
    let mut page = page(status, json + "\n");
    let format = HeaderValue::from_static("application/json");
    page.headers_mut().insert(CONTENT_TYPE, format);
    page
}

fn page(status: StatusCode, text: impl Into<Bytes>) -> Page {
    let mut page = Response::new(Full::new(text.into()));
    *page.status_mut() = status;
    let format = HeaderValue::from_static("text/plain; charset=utf-8");
    page.headers_mut().insert(CONTENT_TYPE, format);
    page
}

/// Asks the node; none if it is stopping.
async fn look(intake: &Intake) -> Option<Look> {
    let (reply, replied) = oneshot::channel();
    if !intake.tell(Event::Look(reply)).await {
        return None;
    }
    replied.await.ok().map(|look| *look)
}

/// The sizes of the files in a directory; none if it cannot be read.
async fn bytes_in(directory: &Path) -> Option<u64> {
    let mut files = tokio::fs::read_dir(directory).await.ok()?;
    let mut bytes = 0;
    while let Some(file) = files.next_entry().await.ok()? {
        // A segment may be removed between the two looks.
        if let Ok(metadata) = file.metadata().await {
            bytes += metadata.len();
        }
    }
    Some(bytes)
}
