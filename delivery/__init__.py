"""What the workflows need beside the verbs: facts of an assembly for later steps, the text of a comment, issues of a night.

In: `dist/`, reviews and findings as files. Out: lines for GITHUB_OUTPUT, Markdown, calls of `gh`.
Never: talks to AWS, or takes a word of others for more than text.
"""
