// SPDX-License-Identifier: Apache-2.0
//! An adapter for Gadgets (example.com/v1), in Rust: bytes in, bytes out, no crate and no header.
//! A Gadget works as the Widget of the other example does, so the two can be read side by side.

mod json;
mod sluice;

use json::Value;
use sluice::{Adapter, Call, Host, Request, Text, BUG, OK, PATCH, PROVIDES_SCALE, STALE, STATUS};
use std::os::raw::c_char;

const HOLDER: &str = "rollout.sluice.dev/holder";
const APPLIED: &str = "rollout.sluice.dev/applied";

fn annotation<'a>(object: &Value<'a>, name: &str) -> Option<&'a str> {
    object.at(&["metadata", "annotations", name]).quoted()
}

fn is_settled(gadget: &Value) -> bool {
    gadget.at(&["status", "seenGeneration"]).int() >= gadget.at(&["metadata", "generation"]).int()
}

fn observe_gadget(request: &Request) -> i32 {
    let gadget = request.json.at(&["workload"]);
    let count = |name| gadget.at(&["status", name]).int();
    let status = format!(
        r#"{{"size":{},"updated":{},"updatedReady":{},"ready":{},"settled":{}}}"#,
        gadget.at(&["spec", "replicas"]).int(), count("fresh"), count("freshReady"), count("ready"),
        is_settled(gadget)
    );
    request.emit(STATUS, &status)
}

/// The new recipe, and as many pods held back as there are: nothing moves yet. One that isn't there
/// begins without a pod when they are to come in batches.
fn begin_gadget(request: &Request) -> i32 {
    let (gadget, target) = (request.json.at(&["workload"]), request.json.at(&["target"]));
    let same = |name| annotation(gadget, name) == annotation(target, name);
    if !target.is_object() {
        return request.fail(BUG, "/target", "there is none");
    }
    if gadget.is_object() && same(HOLDER) && same(APPLIED) {
        return OK;
    }
    let mut object = target.clone();
    if gadget.is_object() {
        let size = gadget.at(&["spec", "replicas"]).int().to_string();
        let version = gadget.at(&["metadata", "resourceVersion"]).clone();
        object.put(&["spec"], r#""replicas""#, Value::Made(size.clone()));
        object.put(&["spec"], r#""heldBack""#, Value::Made(size));
        object.put(&["metadata"], r#""resourceVersion""#, version);
    } else if request.json.at(&["scale"]).is_true() {
        object.put(&["spec"], r#""replicas""#, Value::Made("0".to_string()));
    }
    request.emit(PATCH, &format!(r#"{{"type":"apply","body":{object}}}"#))
}

/// The operations that bring heldBack to `wanted`, tested. Absence can't be tested: the resource
/// version is then.
fn held_back_operations(gadget: &Value, wanted: i64) -> String {
    let held = gadget.at(&["spec", "heldBack"]);
    let version = gadget.at(&["metadata", "resourceVersion"]);
    if held.is_integer() && held.int() == wanted {
        String::new()
    } else if held.is_integer() {
        format!(
            r#",{{"op":"test","path":"/spec/heldBack","value":{held}}},
            {{"op":"replace","path":"/spec/heldBack","value":{wanted}}}"#
        )
    } else {
        format!(
            r#",{{"op":"test","path":"/metadata/resourceVersion","value":{version}}},
            {{"op":"add","path":"/spec/heldBack","value":{wanted}}}"#
        )
    }
}

/// Lets so many pods go, and does `more`, if the size still is what we counted with. Nothing when
/// all that is done already.
fn hold_back(request: &Request, updated: i64, more: &str) -> i32 {
    let gadget = request.json.at(&["workload"]);
    let size = gadget.at(&["spec", "replicas"]);
    let change = held_back_operations(gadget, size.int().saturating_sub(updated).max(0));
    if change.is_empty() && more.is_empty() {
        return OK;
    }
    let test = format!(r#"{{"op":"test","path":"/spec/replicas","value":{size}}}"#);
    request.emit(PATCH, &format!(r#"{{"type":"json","body":[{test}{change}{more}]}}"#))
}

/// So many replicas, of whatever recipe.
fn resize(request: &Request, goal: i64) -> i32 {
    let size = request.json.at(&["workload", "spec", "replicas"]);
    if size.is_integer() && size.int() == goal {
        return OK;
    }
    let patch = format!(
        r#"{{"type":"json","body":[{{"op":"test","path":"/spec/replicas","value":{size}}},
            {{"op":"replace","path":"/spec/replicas","value":{goal}}}]}}"#
    );
    request.emit(PATCH, &patch)
}

fn advance_gadget(request: &Request) -> i32 {
    let gadget = request.json.at(&["workload"]);
    if !gadget.is_object() || !is_settled(gadget) {
        return request.fail(STALE, "/workload", "the counts are not there yet");
    }
    let updated = gadget.at(&["status", "fresh"]).int();
    let goal = request.json.at(&["goal"]).int();
    let paused = request.json.at(&["paused"]).is_true();
    if request.json.at(&["scale"]).is_true() {
        return if paused { OK } else { resize(request, goal) };
    }
    hold_back(request, if paused { updated } else { goal.max(updated) }, "")
}

/// Where it stands, whatever the outcome: after success that is everything.
fn finish_gadget(request: &Request) -> i32 {
    let gadget = request.json.at(&["workload"]);
    let holder = match annotation(gadget, HOLDER) {
        Some(holder) => holder,
        None => return OK,
    };
    let path = "/metadata/annotations/rollout.sluice.dev~1holder";
    let let_go = format!(
        r#",{{"op":"test","path":"{path}","value":{holder}}},{{"op":"remove","path":"{path}"}}"#
    );
    hold_back(request, gadget.at(&["status", "fresh"]).int(), &let_go)
}

extern "C" fn observe(host: *const Host, call: *mut Call, request: Text) -> i32 {
    sluice::with_request(host, call, request, observe_gadget)
}

extern "C" fn begin(host: *const Host, call: *mut Call, request: Text) -> i32 {
    sluice::with_request(host, call, request, begin_gadget)
}

extern "C" fn advance(host: *const Host, call: *mut Call, request: Text) -> i32 {
    sluice::with_request(host, call, request, advance_gadget)
}

extern "C" fn finish(host: *const Host, call: *mut Call, request: Text) -> i32 {
    sluice::with_request(host, call, request, finish_gadget)
}

const MANIFEST: &str = concat!(
    r#"{"kinds": [{
        "apiVersion": "example.com/v1",
        "kind": "Gadget",
        "keep": ["/metadata/annotations/rollout.sluice.dev~1holder",
                 "/metadata/annotations/rollout.sluice.dev~1applied", "/spec", "/status"]
    }],
    "rights": [{"apiGroups": ["example.com"], "resources": ["gadgets"],
                "verbs": ["list", "watch", "create", "patch"]}]}"#,
    "\0"
);

static TABLE: Adapter = Adapter {
    size: std::mem::size_of::<Adapter>() as u32,
    major: 1,
    minor: 0,
    needs: 0,
    provides: PROVIDES_SCALE,
    name: "gadget\0".as_ptr() as *const c_char,
    version: "1.0.0\0".as_ptr() as *const c_char,
    manifest: MANIFEST.as_ptr() as *const c_char,
    validate: None,
    observe: Some(observe),
    begin: Some(begin),
    advance: Some(advance),
    finish: Some(finish),
};

#[no_mangle]
pub extern "C" fn sluice_adapter_v1() -> *const Adapter {
    &TABLE
}
