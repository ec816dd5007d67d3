"""How secrets are found in observed text; `buddy_core.safety.redact` is the face of this package.

Each finder yields spans of one text that are secret; `scan` joins them and puts the mask in their place.
Nothing in here knows a single secret: what is known is a shape, a name or a place.
"""
