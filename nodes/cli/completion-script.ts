/** Shells that a completion can be had for. */
export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof shells)[number];

/**
 * What a shell has to read for `headwater` to be completed. The script only asks: what can be
 * typed, `headwater complete` says, a line each, with a tab before its description; the line
 * `:files` asks the shell for names of files.
 */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}

const bash = `# headwater completion for bash: source <(headwater completion bash)
_headwater() {
  local line files=
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; else COMPREPLY+=("\${line%%$'\t'*}"); fi
  done < <(headwater complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ -n $files ]]; then compopt -o default 2>/dev/null; fi
}
complete -F _headwater headwater`;

const zsh = `#compdef headwater
# headwater completion for zsh: source <(headwater completion zsh)
_headwater() {
  local line files=0
  local -a candidates
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; continue; fi
    candidates+=("\${\${line%%$'\t'*}//:/\\\\:}:\${line#*$'\t'}")
  done < <(headwater complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( files )); then _files; fi
  if (( $#candidates )); then _describe -V headwater candidates; fi
}
if [[ \${funcstack[1]} == _headwater ]]; then _headwater "$@"; else compdef _headwater headwater; fi`;

const fish = `# headwater completion for fish: headwater completion fish | source
function __headwater_candidates
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  for line in (headwater complete -- $before[2..-1] "$current" 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete -c headwater -e
complete -c headwater -f -a '(__headwater_candidates)'`;

const scripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
