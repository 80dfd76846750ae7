//! Refuses the targets that kettle cannot run on, before the compiler stumbles over them, and what the
//! switch cannot keep up with; notices AddressSanitizer.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");

    // Only nightly compilers tell; `context` then tells the sanitizer about every switch.
    println!("cargo::rustc-check-cfg=cfg(kettle_asan)");
    let sanitizers = env::var("CARGO_CFG_SANITIZE").unwrap_or_default();
    if sanitizers.split(',').any(|sanitizer| sanitizer == "address") {
        println!("cargo::rustc-cfg=kettle_asan");
    }

    let target = ["OS", "ARCH", "POINTER_WIDTH", "ENDIAN"]
        .map(|key| env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default());
    let [os, arch, pointer_width, endian] = target.each_ref().map(String::as_str);

    // x32 calls itself x86_64, and the ILP32 and big-endian kinds of Arm call themselves aarch64:
    // the architecture's name alone does not tell.
    let supported = os == "linux"
        && matches!(arch, "x86_64" | "aarch64")
        && pointer_width == "64"
        && endian == "little";
    if !supported {
        println!(
            "cargo::error=kettle supports Linux on x86_64 and on little-endian aarch64, both with \
             64-bit pointers; this target is {os} on {arch}, {endian}-endian, with {pointer_width}-bit \
             pointers"
        );
    }

    // Objects that are compiled with it say that they keep shadow stacks, and that every indirect branch
    // leads to a landing pad. Neither is true of a switch.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut protection = flags.split('\x1f').filter_map(|flag| {
        flag.strip_prefix("-Z").unwrap_or(flag).trim_start().strip_prefix("cf-protection=")
    });
    if let Some(kind) =
        protection.next_back().filter(|kind| !["none", "no", "n", "off"].contains(kind))
    {
        println!(
            "cargo::error=kettle's switch keeps no shadow stack and has no landing pads of x86_64; build \
             it without -Zcf-protection={kind}"
        );
    }
}
