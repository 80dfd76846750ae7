//! Shadow stacks: a second, hidden stack of return addresses that the processor compares every `ret` with
//! (CET on x86_64, since Linux 6.6; the guarded control stack on aarch64, since 6.13).

#![allow(unsafe_code)]

/// Whether the calling thread has one. No, where the kernel knows of none.
#[cfg(target_arch = "x86_64")]
pub(crate) fn is_on() -> bool {
    /// `arch_prctl`: writes which of its features are on.
    const ARCH_SHSTK_STATUS: usize = 0x5005;
    const ARCH_SHSTK_SHSTK: u64 = 1;

    let mut status = 0_u64;
    let place = (&raw mut status).expose_provenance();
    // SAFETY: the kernel writes eight bytes to `status`, or none.
    let answer =
        unsafe { super::syscall::syscall3(libc::SYS_arch_prctl, ARCH_SHSTK_STATUS, place, 0) };
    answer.is_ok() && status & ARCH_SHSTK_SHSTK != 0
}

/// Whether the calling thread has one. No, where the kernel knows of none.
#[cfg(target_arch = "aarch64")]
pub(crate) fn is_on() -> bool {
    /// `prctl`: writes which of its features are on.
    const PR_GET_SHADOW_STACK_STATUS: libc::c_int = 74;
    const PR_SHADOW_STACK_ENABLE: u64 = 1;

    let mut status = 0_u64;
    // SAFETY: the kernel writes eight bytes to `status`, or none. prctl does not block.
    let answer =
        unsafe { libc::prctl(PR_GET_SHADOW_STACK_STATUS, &raw mut status, 0_u64, 0_u64, 0_u64) };
    answer == 0 && status & PR_SHADOW_STACK_ENABLE != 0
}
