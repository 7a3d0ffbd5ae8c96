# To be sourced: a compiler for another target, with a standard library.
#
#   . tests/compiler.sh TARGET LIBRARIES       LIBRARIES as for -Zbuild-std
#
# Sets `cargo` and `build_std`, to be called as "${cargo[@]}" build "${build_std[@]}" --target TARGET. Takes
# rustup's library where it is installed (rustup target add TARGET), else Debian's compiler (rustc-web, cargo-web),
# which builds the library from rust-web-src. Warnings of our own code are errors with either.
cargo=(cargo) build_std=()
if [ -d "$(rustc --print target-libdir --target "$1" 2>/dev/null)" ]; then
    export RUSTFLAGS="${RUSTFLAGS:-} -D warnings"
elif [ -x /usr/bin/cargo ] && [ -d /usr/lib/rustlib/src/rust/library ]; then
    export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc
    cargo=(/usr/bin/cargo)
    # Those of the standard library are not ours to mend.
    export CARGO_BUILD_WARNINGS=deny
    build_std=(-Zwarnings "-Zbuild-std=$2")
else
    echo "no standard library for $1: see the head of tests/compiler.sh" >&2
    exit 1
fi
