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
