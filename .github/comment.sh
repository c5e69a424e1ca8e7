# One comment of a pull request for each file: posted, or in place of the one with the same first line.
# Needs gh, GH_TOKEN, ISSUES (repos/OWNER/NAME/issues) and NUMBER.
set -euo pipefail
for file in "$@"; do
  mark=$(head -n 1 "$file")
  ours='.[] | select(.user.type == "Bot") | select(.body | startswith(env.MARK)) | .id'
  old=$(MARK="$mark" gh api --paginate "$ISSUES/$NUMBER/comments" --jq "$ours" | sed -n 1p)
  if [ -n "$old" ]; then
    gh api --silent --method PATCH "$ISSUES/comments/$old" --field "body=@$file"
  else
    gh api --silent --method POST "$ISSUES/$NUMBER/comments" --field "body=@$file"
  fi
done
