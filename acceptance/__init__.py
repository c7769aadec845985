"""The whole life of an environment on a real account, as a command: `make acceptance ENV=sandbox`.

In: an environment of a sandbox account. Out: every step timed and judged; a report in Markdown and JSON to send back.
Never: knows how a verb does its work (it runs the command lines as anybody would), or touches an environment that is in use.
"""
