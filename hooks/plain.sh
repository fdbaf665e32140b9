# >>> git-trace: 'git trace disable' removes these lines
if [ -z "${husky_skip_init-}" ] && command -v git-trace >/dev/null 2>&1; then
  git-trace hook git HOOK "$@" </dev/null >/dev/null 2>&1 || :
fi
# <<< git-trace
