use axum::http::StatusCode;
use axum::response::Response;
