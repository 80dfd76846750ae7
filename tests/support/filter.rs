//! A filter of system calls (seccomp, mode 2), to make a kernel that answers differently. There may be
//! none: an emulator has not, and a sandbox may forbid it.

/// `steps` of a filter that does `action` where system call `number` has `value` in the lower half of its
/// argument `index`, and lets everything else pass.
pub(crate) fn filter(
    number: libc::c_long,
    index: usize,
    value: u32,
    action: u32,
) -> [libc::sock_filter; 6] {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jf, k| libc::sock_filter { code, jt: 0, jf, k };
    // The lower half comes first on a little-endian machine.
    let argument = std::mem::offset_of!(libc::seccomp_data, args) + index * size_of::<u64>();
    [
        step(LOAD, 0, std::mem::offset_of!(libc::seccomp_data, nr) as u32),
        step(IF_EQUAL, 3, number as u32),
        step(LOAD, 0, argument as u32),
        step(IF_EQUAL, 1, value),
        step(RETURN, 0, action),
        step(RETURN, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

/// Puts a filter before all system calls of the calling thread and of those that it will start. Returns
/// what the kernel does: with `SECCOMP_FILTER_FLAG_NEW_LISTENER` a descriptor, else 0, or -1.
pub(crate) fn install(steps: &mut [libc::sock_filter], flags: libc::c_ulong) -> libc::c_long {
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: `program` and its steps live until the calls return.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let mode = libc::SECCOMP_SET_MODE_FILTER;
        libc::syscall(libc::SYS_seccomp, mode, flags, &raw const program)
    }
}
