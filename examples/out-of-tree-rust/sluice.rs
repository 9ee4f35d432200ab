// SPDX-License-Identifier: Apache-2.0
//! sluice/abi.h in Rust: the layout of version 1.0 and nothing else. Later minor versions only
//! append, so a table of this size stays good.

use std::os::raw::{c_char, c_void};

pub const OK: i32 = 0;
pub const STALE: i32 = -3;
pub const BUG: i32 = -5;

pub const STATUS: u32 = 1;
pub const PATCH: u32 = 2;

pub const PROVIDES_SCALE: u64 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    pub at: *const u8,
    pub length: u64,
}

/// Only the host knows what is inside.
#[repr(C)]
pub struct Call {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct Host {
    pub size: u32,
    pub major: u16,
    pub minor: u16,
    pub alloc: extern "C" fn(*mut Call, u64) -> *mut c_void,
    pub emit: extern "C" fn(*mut Call, u32, Text) -> i32,
    pub fail: extern "C" fn(*mut Call, Text, Text),
    pub log: extern "C" fn(*mut Call, u32, Text),
}

pub type CallFunction = extern "C" fn(*const Host, *mut Call, Text) -> i32;

#[repr(C)]
pub struct Adapter {
    pub size: u32,
    pub major: u16,
    pub minor: u16,
    pub needs: u64,
    pub provides: u64,
    pub name: *const c_char,
    pub version: *const c_char,
    pub manifest: *const c_char,
    pub validate: Option<CallFunction>,
    pub observe: Option<CallFunction>,
    pub begin: Option<CallFunction>,
    pub advance: Option<CallFunction>,
    pub finish: Option<CallFunction>,
}

/// The table is constant, and what its pointers lead to is too.
unsafe impl Sync for Adapter {}

/// One call, as the adapter sees it.
pub struct Request<'a> {
    pub host: &'a Host,
    pub call: *mut Call,
    pub json: crate::json::Value<'a>,
}

fn text(words: &str) -> Text {
    Text { at: words.as_ptr(), length: words.len() as u64 }
}

impl Request<'_> {
    pub fn emit(&self, kind: u32, json: &str) -> i32 {
        (self.host.emit)(self.call, kind, text(json))
    }

    /// Says why, and returns `result`.
    pub fn fail(&self, result: i32, pointer: &str, words: &str) -> i32 {
        (self.host.fail)(self.call, text(pointer), text(words));
        result
    }
}

/// Reads the request and runs `body` on it. What it reads is the host's own memory: no byte of the
/// request is copied.
pub fn with_request(host: *const Host, call: *mut Call, request: Text,
                    body: fn(&Request) -> i32) -> i32 {
    // The host keeps both alive for as long as the call lasts.
    let host = unsafe { &*host };
    let bytes = if request.length == 0 {
        &[][..]
    } else {
        unsafe { std::slice::from_raw_parts(request.at, request.length as usize) }
    };
    match std::str::from_utf8(bytes).ok().and_then(crate::json::parse) {
        Some(json) => body(&Request { host, call, json }),
        None => {
            let words = "the request is not JSON";
            (host.fail)(call, text(""), text(words));
            BUG
        }
    }
}
