# What the scripts of CI share. To be sourced, from the repository's root.

# Runs a command under a heading and says how long it took. On failure it names the step and ends the
# script: a step counts by its exit status alone.
step() {
    local heading=$1 began=$SECONDS status=0
    shift
    printf '\n==> %s\n' "$heading"
    # Not as a condition (`if`, `||`), where `set -e` would not work inside the command.
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    if ((status != 0)); then
        printf '==> FAILED after %d s: %s\n' $((SECONDS - began)) "$heading"
        exit "$status"
    fi
    printf '==> done in %d s: %s\n' $((SECONDS - began)) "$heading"
}

fail() {
    printf 'error: %s\n' "$*"
    exit 1
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo --non-interactive "$@"; fi
}

# Installs those of the named Debian packages that are missing.
install_packages() {
    local package missing=()
    for package in "$@"; do
        if [[ $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
            missing+=("$package")
        fi
    done
    if ((${#missing[@]} == 0)); then
        echo "nothing to install"
        return
    fi
    echo "installing: ${missing[*]}"
    as_root apt-get update --quiet --quiet
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --quiet --quiet --no-install-recommends "${missing[@]}"
}

install_aarch64_tools() {
    if ! dpkg --print-foreign-architectures | grep --quiet --line-regexp arm64; then
        as_root dpkg --add-architecture arm64
    fi
    install_packages rustc-web libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu \
        libc6-dev-arm64-cross qemu-user-static python3
}

# From here on cargo builds for aarch64, with `--target "$target"`, and runs it under qemu's user emulation.
for_aarch64() {
    target=aarch64-unknown-linux-gnu
    # The distribution's compiler, whose standard library for the target is a package away.
    export RUSTC=/usr/bin/rustc
    export RUSTDOC=/usr/bin/rustdoc
    export CARGO_TARGET_DIR=target/aarch64-ci
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    # The target's libc is installed as this machine's own multiarch library, where qemu finds it without
    # help. Pointed to the cross compiler's copy (-L), it would load parts of both, and hang.
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64-static
    # For tests that start themselves again: the kernel cannot run such a program without help.
    export KETTLE_TEST_RUNNER=$CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER
    # What only this architecture compiles, no other step has read.
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS='--deny warnings'
    # Enough for backtraces.
    export CARGO_PROFILE_DEV_DEBUG=line-tables-only
    # Optimising everything that the tests and the benchmarks depend on would take most of the time.
    optimise_kettle_alone=(--config 'profile.release.package."*".opt-level = 0')
}
