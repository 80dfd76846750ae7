//! Refuses the targets that kettle cannot run on, before the compiler stumbles over them.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");

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
}
