# >>> git-trace: 'git trace disable' removes these lines
if [ -z "${husky_skip_init-}" ] && ! [ -t 0 ] && command -v git-trace >/dev/null 2>&1; then
  # What git says on standard input is for the rest of this hook too.
  git_trace_input=$(cat || :)
  if [ -n "$git_trace_input" ]; then
    { printf '%s\n' "$git_trace_input" | git-trace hook git HOOK "$@"; } >/dev/null 2>&1 || :
    exec <<GIT_TRACE_INPUT
$git_trace_input
GIT_TRACE_INPUT
  fi
  unset git_trace_input
fi
# <<< git-trace
