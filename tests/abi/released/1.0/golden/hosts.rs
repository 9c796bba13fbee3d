//! A plugin in another language, on the C headers alone: plain `rustc`, no crate, no generated bindings. Its one tool
//! lists hosts with the release of ESXi that each runs.
//!
//! Without CMake: `rustc --edition 2021 --crate-type cdylib -O -C link-arg=-Wl,-z,now -o hosts.so hosts.rs` (it exports
//! what is `no_mangle`, nothing else), then `vmcp-manifest hosts.so --output hosts.vmcp.json`.
//!
//! Three rules carry over from the C side: tables are read by their `size`, what a function was lent is copied before
//! it returns, and nothing unwinds across the border.

use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{copy_nonoverlapping, null};

/// vmcp/abi.h, tools.h, call.h and inventory.h, as far as this plugin uses them. Tables grow at their tail only, so the
/// beginning of one is a declaration of it.
#[allow(dead_code)]
mod abi {
    use super::{c_char, c_void};

    pub type Status = i32;
    pub const OK: Status = 0;
    pub const E_INVALID: Status = -1;
    pub const E_NOT_FOUND: Status = -2;
    pub const E_UNSUPPORTED: Status = -8;
    pub const E_FAULT: Status = -10;

    pub const MAJOR: u16 = 1;
    pub const MINOR: u16 = 0;
    pub const EFFECT_READ: u32 = 0;
    pub const TOOL_IDEMPOTENT: u32 = 1;

    /// Borrowed bytes.
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Str {
        pub ptr: *const u8,
        pub len: usize,
    }

    #[repr(C)]
    pub struct Sink {
        pub ctx: *mut c_void,
        pub put: unsafe extern "C" fn(*mut c_void, Str),
    }

    /// One call; opaque.
    #[repr(C)]
    pub struct Call {
        opaque: [u8; 0],
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Host {
        pub size: u32,
        pub abi_major: u16,
        pub abi_minor: u16,
        pub ctx: *mut c_void,
        pub query: Option<unsafe extern "C" fn(*const Host, *const c_char) -> *const c_void>,
    }

    #[repr(C)]
    pub struct Plugin {
        pub size: u32,
        pub zero: u32,
        pub itself: *mut c_void,
        pub query: unsafe extern "C" fn(*const Plugin, *const c_char) -> *const c_void,
        pub start: unsafe extern "C" fn(*const Plugin, Str) -> Status,
        pub quiesce: unsafe extern "C" fn(*const Plugin) -> Status,
        pub close: unsafe extern "C" fn(*const Plugin),
    }

    #[repr(C)]
    pub struct Entry {
        pub size: u32,
        pub abi_major: u16,
        pub abi_minor: u16,
        pub id: *const c_char,
        pub version: *const c_char,
        pub open: unsafe extern "C" fn(*const Host, *mut *const Plugin) -> Status,
    }

    #[repr(C)]
    pub struct Tool {
        pub size: u32,
        pub effect: u32,
        pub flags: u32,
        pub cost: u32,
        pub max_parallel: u32,
        pub time_hint_ms: u32,
        pub name: *const c_char,
        pub title: *const c_char,
        pub description: *const c_char,
        pub input_schema: *const c_char,
        pub output_schema: *const c_char,
        pub privileges: *const c_char,
        pub client_needs: *const c_char,
        pub view: *const c_char,
    }

    #[repr(C)]
    pub struct Tools {
        pub size: u32,
        pub zero: u32,
        pub count: unsafe extern "C" fn(*const Plugin) -> u32,
        pub at: unsafe extern "C" fn(*const Plugin, u32) -> *const Tool,
        pub run: unsafe extern "C" fn(*const Plugin, u32, *mut Call, Str) -> Status,
    }

    /// A member that this plugin never calls, so its parameters do not matter.
    pub type Unused = Option<unsafe extern "C" fn()>;

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct CallTable {
        pub size: u32,
        pub zero: u32,
        pub cancelled: Unused,
        pub remaining_ms: Unused,
        pub progress: Unused,
        pub add_text: Unused,
        pub set_json: Option<unsafe extern "C" fn(*mut Call, Str) -> Status>,
        pub fail: Option<unsafe extern "C" fn(*mut Call, Status, Str) -> Status>,
        pub round: Unused,
        pub state: Unused,
        pub set_state: Unused,
        pub need_input: Unused,
        pub await_task: Unused,
        pub input: Unused,
        pub target: Unused,
        pub vcenter: Unused,
        pub verbose: Unused,
        pub last_error: Option<unsafe extern "C" fn(*mut Call) -> Str>,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Inventory {
        pub size: u32,
        pub zero: u32,
        pub list: Option<unsafe extern "C" fn(*mut Call, Str, Sink) -> Status>,
        pub get: Unused,
    }
}
use abi::*;

macro_rules! c_text {
    ($($text:expr),+) => { concat!($($text),+, "\0").as_ptr() as *const c_char };
}

/// Constant data with pointers to other constant data: any thread may read it.
struct Constant<T>(T);
unsafe impl<T> Sync for Constant<T> {}

static TOOL: Constant<Tool> = Constant(Tool {
    size: size_of::<Tool>() as u32,
    effect: EFFECT_READ,
    flags: TOOL_IDEMPOTENT,
    cost: 0,
    max_parallel: 0,
    time_hint_ms: 0,
    name: c_text!("list_host_releases"),
    title: c_text!("List the releases of hosts"),
    description: c_text!("Lists the hosts by name, with the release of ESXi that each runs."),
    input_schema: c_text!(r#"{"type":"object","properties":{},"additionalProperties":false}"#),
    output_schema: c_text!(
        r#"{"type":"object","properties":{"objects":{"type":"array","items":{"type":"object"}},"#,
        r#""total":{"type":"integer"},"truncated":{"type":"boolean"}},"required":["objects","total","truncated"]}"#
    ),
    privileges: c_text!("System.View,System.Read"),
    client_needs: null(),
    view: null(),
});

const QUERY: &str =
    r#"{"kind":"host","properties":["summary.config.product.fullName","runtime.connectionState"],"limit":500}"#;

/// One instance: its table first, then what it borrowed from its host.
struct Instance {
    table: Plugin,
    call: CallTable,
    inventory: Inventory,
}

fn lend(text: &str) -> Str {
    Str { ptr: text.as_ptr(), len: text.len() }
}

/// Runs what the host entered; a panic becomes `otherwise`, since it must not unwind into the host. The panic's payload
/// is leaked: dropping it runs code that may panic again.
fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(value) => value,
        Err(payload) => {
            std::mem::forget(payload);
            otherwise
        }
    }
}

/// Copies as much of a foreign table as there is; members beyond its size become None.
unsafe fn read_table<T: Copy>(table: *const c_void) -> T {
    let mut copy: T = zeroed();
    if !table.is_null() {
        let there = (*(table as *const u32) as usize).min(size_of::<T>());
        let whole = there - there % size_of::<*const c_void>();
        copy_nonoverlapping(table as *const u8, &mut copy as *mut T as *mut u8, whole);
    }
    copy
}

/// A sink that keeps a copy; `ctx` is a `Vec<u8>`.
unsafe extern "C" fn keep(ctx: *mut c_void, bytes: Str) {
    guarded((), || {
        if bytes.len > 0 {
            (*(ctx as *mut Vec<u8>)).extend_from_slice(std::slice::from_raw_parts(bytes.ptr, bytes.len))
        }
    })
}

impl Instance {
    unsafe fn list_host_releases(&self, call: *mut Call) -> Status {
        let (list, set_json) = match (self.inventory.list, self.call.set_json) {
            (Some(list), Some(set_json)) => (list, set_json),
            _ => return E_UNSUPPORTED,
        };
        let mut found: Vec<u8> = Vec::new();
        let sink = Sink { ctx: &mut found as *mut Vec<u8> as *mut c_void, put: keep };
        let status = list(call, lend(QUERY), sink);
        if status >= OK {
            return set_json(call, Str { ptr: found.as_ptr(), len: found.len() });
        }
        match (self.call.fail, self.call.last_error) {
            (Some(fail), Some(last_error)) => fail(call, status, last_error(call)),
            _ => status,
        }
    }
}

unsafe extern "C" fn count(_plugin: *const Plugin) -> u32 {
    1
}
unsafe extern "C" fn at(_plugin: *const Plugin, index: u32) -> *const Tool {
    if index == 0 { &TOOL.0 } else { null() }
}
unsafe extern "C" fn run(plugin: *const Plugin, index: u32, call: *mut Call, _args: Str) -> Status {
    guarded(E_FAULT, || {
        if index != 0 {
            return E_NOT_FOUND;
        }
        (*((*plugin).itself as *const Instance)).list_host_releases(call)
    })
}
static TOOLS: Tools = Tools { size: size_of::<Tools>() as u32, zero: 0, count, at, run };

unsafe extern "C" fn query(_plugin: *const Plugin, iface: *const c_char) -> *const c_void {
    guarded(null(), || {
        if std::ffi::CStr::from_ptr(iface).to_bytes() == b"vmcp.tools/1" {
            return &TOOLS as *const Tools as *const c_void;
        }
        null()
    })
}
unsafe extern "C" fn start(_plugin: *const Plugin, _config: Str) -> Status {
    OK
}
unsafe extern "C" fn quiesce(_plugin: *const Plugin) -> Status {
    OK
}
unsafe extern "C" fn close(plugin: *const Plugin) {
    guarded((), || drop(Box::from_raw((*plugin).itself as *mut Instance)))
}

unsafe extern "C" fn open(host: *const Host, out: *mut *const Plugin) -> Status {
    guarded(E_FAULT, || {
        let known: Host = read_table(host as *const c_void);
        let ask = match known.query {
            Some(ask) if known.abi_major == MAJOR => ask,
            Some(_) => return E_UNSUPPORTED,
            None => return E_INVALID,
        };
        let size = size_of::<Plugin>() as u32;
        let made = Box::into_raw(Box::new(Instance {
            table: Plugin { size, zero: 0, itself: std::ptr::null_mut(), query, start, quiesce, close },
            call: read_table(ask(host, c_text!("vmcp.call/1"))),
            inventory: read_table(ask(host, c_text!("vmcp.inventory/1"))),
        }));
        (*made).table.itself = made as *mut c_void;
        *out = &(*made).table;
        OK
    })
}

static ENTRY: Constant<Entry> = Constant(Entry {
    size: size_of::<Entry>() as u32,
    abi_major: MAJOR,
    abi_minor: MINOR,
    id: c_text!("org.example.hosts"),
    version: c_text!("1.0.0"),
    open,
});

#[no_mangle]
pub extern "C" fn vmcp_entry_v1() -> *const Entry {
    &ENTRY.0
}
