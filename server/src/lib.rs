//! Galen's service.
