"""Diagnosis: is everything there that a deployment needs, and is anything stuck?

In: an assembly with its templates, AWS, a resolver for the public DNS, the change sets of the saved plan.
Out: a `Report` of results, each ok, warning, problem or "could not check", with what to type next; and fixes for stuck stacks, each of
them described before it is done.
Never: changes anything while it checks; does a fix when the stack is no longer as it was shown; says "ok" of what it could not ask.
"""
