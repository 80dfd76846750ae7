//! What the kernel says about memory: how much this process has, and how much it may still take.

use std::{fs, io, path::Path};

/// A field in the form `Name:   1234 kB` of a file in `/proc`, in bytes.
fn kib_field(file: &str, field: &str) -> io::Result<u64> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib = line.and_then(|value| value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other(format!("{file} has no {field}")))
}

/// A field of what the kernel says about this process, in bytes.
pub(crate) fn own_bytes(field: &str) -> io::Result<u64> {
    kib_field("/proc/self/status", field)
}

/// How many bytes can still be used before the kernel kills: the machine's, or what a control group
/// (a container's limit, say) leaves of them. None if nobody says.
pub(crate) fn left() -> Option<u64> {
    let machine = kib_field("/proc/meminfo", "MemAvailable").ok();
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = groups.lines().filter_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        match controllers {
            "" => Some(("/sys/fs/cgroup", group, "memory.max", "memory.current")),
            "memory" => Some((
                "/sys/fs/cgroup/memory",
                group,
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
            )),
            _ => None,
        }
    });
    let left = groups.flat_map(|(root, group, limit, usage)| {
        Path::new(group).ancestors().filter_map(move |group| {
            let directory = Path::new(root).join(group.strip_prefix("/").ok()?);
            let read = |file| fs::read_to_string(directory.join(file)).ok();
            let number = |file| read(file)?.trim().parse::<u64>().ok();
            let limit = number(limit)?;
            // Pages of files can be dropped; they do not count.
            let stat = read("memory.stat").unwrap_or_default();
            let mut files = stat.lines().filter_map(|line| line.strip_prefix("inactive_file "));
            let files = files.next().and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
            Some(limit.saturating_sub(number(usage)?.saturating_sub(files)))
        })
    });
    machine.into_iter().chain(left).min()
}
