# Sourced: makes `cargo check` for foreign targets pass where no C compiler for them is installed. Dependencies' build
# scripts compile C, but a type check never links it: a stand-in that only creates its output file is enough.

stand_in_compilers() { # FOLDER TARGET...
  local folder=$1 target tool
  shift
  mkdir -p "$folder/sdk"
  cat > "$folder/cc" <<'SH'
#!/bin/sh
# Creates what `-o` names, or the archive that `ar` was asked for.
previous=
for argument in "$@"; do
  case $previous:$argument in
    -o:*) : > "$argument" ;;
    *:*.a) [ -e "$argument" ] || : > "$argument" ;;
  esac
  previous=$argument
done
SH
  chmod +x "$folder/cc"
  for target in "$@"; do
    for tool in CC CXX AR; do export "${tool}_${target//-/_}=$folder/cc"; done
  done
  # Else build scripts ask Apple's tools for these.
  export SDKROOT=$folder/sdk MACOSX_DEPLOYMENT_TARGET=11.0
}
