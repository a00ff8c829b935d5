"""One call: a photo in, six frames and a contact sheet out.

python examples/simple.py portrait.png [folder]
"""

import sys

import lowkey

photo, *rest = sys.argv[1:]
shoot = lowkey.shoot(photo, out=rest[0] if rest else None)
print(shoot.sheet)
