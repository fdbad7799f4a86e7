# shellcheck shell=bash
# apt without touching the system's: sourced by what fetches packages that
# are not installed but unpacked under build/.
#
# Wants state, a directory of its own, and in it sources.list, of lines that
# name $keyring, before private_apt is called
# (private_apt PROGRAM ARGUMENT...).

export keyring=/usr/share/keyrings/debian-archive-keyring.gpg


# Proxies, timeouts and the like stay as the system's configuration has
# them: only the paths are ours.  A mirror that lags behind will do: what is
# old is still signed, and is used by tests alone.
private_apt() {
    local program=$1

    mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial" \
             "$state/empty"

    "$program" -q \
        -o Dir::State="$state/state" \
        -o Dir::State::status=/var/lib/dpkg/status \
        -o Dir::Cache="$state/cache" \
        -o Dir::Etc::sourcelist="$state/sources.list" \
        -o Dir::Etc::sourceparts=- \
        -o Dir::Etc::preferences=/dev/null \
        -o Dir::Etc::preferencesparts="$state/empty" \
        -o APT::Default-Release= \
        -o APT::Sandbox::User= \
        -o APT::Update::Post-Invoke-Success= \
        -o Acquire::Languages=none \
        -o Acquire::Check-Valid-Until=false \
        "${@:2}"
}


# Where the system's apt gets packages from: address, suite and component of
# each.
apt_origins() {
    # shellcheck disable=SC2016
    apt-get indextargets --no-release-info \
            --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
            'Created-By: Packages' | sort -u
}
