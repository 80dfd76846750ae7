//! What strangers say to `examples/http.rs`: it must not panic, it must get on, and it must answer the same
//! whatever pieces the bytes come in.

#![no_main]

#[path = "../../tests/examples_io/check.rs"]
mod check;
#[path = "../../examples/http/conversation.rs"]
mod conversation;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check::check(data));
