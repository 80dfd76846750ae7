//! System calls that rustix does not have, made inline.

#![allow(unsafe_code)]

use core::arch::asm;
use core::ffi::{c_int, c_long};

/// Makes the system call `number` with three arguments; the error is the `errno` value.
///
/// # Safety
///
/// The arguments are right for the call: what it reads and writes is memory that the caller may have
/// read and written.
#[inline]
pub(super) unsafe fn syscall3(
    number: c_long,
    first: usize,
    second: usize,
    third: usize,
) -> Result<usize, c_int> {
    // SAFETY: the caller's; the fourth argument is ignored by a call of three.
    unsafe { syscall4(number, first, second, third, 0) }
}

/// Makes the system call `number` with four arguments; the error is the `errno` value.
///
/// # Safety
///
/// As for [`syscall3`].
#[inline]
pub(super) unsafe fn syscall4(
    number: c_long,
    first: usize,
    second: usize,
    third: usize,
    fourth: usize,
) -> Result<usize, c_int> {
    // SAFETY: the caller's; the last two are ignored by a call of four.
    unsafe { syscall6(number, [first, second, third, fourth, 0, 0]) }
}

/// Makes the system call `number` with six arguments; the error is the `errno` value.
///
/// # Safety
///
/// As for [`syscall3`].
#[inline(always)]
pub(super) unsafe fn syscall6(number: c_long, arguments: [usize; 6]) -> Result<usize, c_int> {
    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result: isize;
    // SAFETY: the kernel's calling convention; what the call does is the caller's affair.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") first, in("rsi") second, in("rdx") third, in("r10") fourth,
            in("r8") fifth, in("r9") sixth,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second, in("x2") third, in("x3") fourth, in("x4") fifth,
            in("x5") sixth,
            options(nostack),
        );
    }
    // The kernel answers -4095 to -1 for errors.
    if (-4095..0).contains(&result) { Err(-result as c_int) } else { Ok(result as usize) }
}
