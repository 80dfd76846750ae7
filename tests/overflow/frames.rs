//! Ways to run out of stack, and to find out where it ends.

use std::hint::black_box;
use std::mem::MaybeUninit;

/// Frame after frame.
#[inline(never)]
pub(crate) fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == u64::MAX {
        return 0;
    }
    let deeper = recurse(depth + 1);
    deeper ^ black_box(&frame)[3]
}

/// One frame of 10 MiB, which the compiler probes page by page when it enters it: nothing is written to
/// it before its lowest byte.
#[inline(never)]
pub(crate) fn enormous_frame() {
    let mut frame = MaybeUninit::<[u8; 10 << 20]>::uninit();
    let lowest = black_box(&mut frame).as_mut_ptr().cast::<u8>();
    // SAFETY: inside the frame.
    unsafe { lowest.write_volatile(1) };
    black_box(&frame);
}

/// As C code has it that is compiled without stack probes: a frame whose first touch is `beyond` bytes
/// below the stack's limit.
pub(crate) fn unprobed_frame(beyond: usize) {
    let lowest = limit() - beyond;
    // SAFETY: writes to no object: it is in the guard, or else the test fails. The stack pointer is
    // put back, and nothing is pushed meanwhile.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!(
            "mov {saved}, rsp",
            "mov rsp, {lowest}",
            "mov qword ptr [rsp], 1",
            "mov rsp, {saved}",
            saved = out(reg) _,
            lowest = in(reg) lowest,
        );
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!(
            "mov {saved}, sp",
            "mov sp, {lowest}",
            "str xzr, [sp]",
            "mov sp, {saved}",
            saved = out(reg) _,
            lowest = in(reg) lowest,
        );
    }
}

/// Where the running stack ends: the first page below this frame that the kernel will not read for us.
/// Asked of the kernel, so that nothing has to be known of how kettle lays out its stacks.
pub(crate) fn limit() -> usize {
    // SAFETY: sysconf only reads.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let mut pipe = [0; 2];
    // SAFETY: writes two descriptors.
    assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
    let mut lowest = (&raw const pipe).addr() & !(page - 1);
    let mut byte = 0_u8;
    // SAFETY: the kernel reads one byte, or says that it cannot.
    while unsafe { libc::write(pipe[1], std::ptr::without_provenance(lowest - page), 1) } == 1 {
        // SAFETY: writes one byte to `byte`, the one that went in.
        assert_eq!(unsafe { libc::read(pipe[0], (&raw mut byte).cast(), 1) }, 1);
        lowest -= page;
    }
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EFAULT));
    // SAFETY: closes what was opened above.
    unsafe {
        libc::close(pipe[0]);
        libc::close(pipe[1]);
    }
    lowest
}

/// Writes through a null pointer.
#[inline(never)]
pub(crate) fn null_write() {
    let nowhere = black_box(std::ptr::null_mut::<u32>());
    // SAFETY: none: this must fault. In assembly, because the compiler may do what it likes with a null
    // pointer that it knows of.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov dword ptr [{0}], 1", in(reg) nowhere);
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("str wzr, [{0}]", in(reg) nowhere);
    }
}
