"""The zip that Lambda runs: which files, of which wheels, for which platform; made, then opened and checked.

Knows nothing of stacks, stages or AWS accounts.
"""
