"""The zip that Lambda runs: which files, from which wheels, for which platform; made, opened and looked at again.

Knows nothing of stacks, stages or AWS accounts.
"""
