"""Write the sample portrait: NASA's public-domain picture of astronaut Eileen Collins, as scikit-image ships it.

python examples/portrait.py [portrait.png]
"""

import sys

import skimage.data

from lowkey.photo import write_png

path = sys.argv[1] if len(sys.argv) > 1 else "portrait.png"
write_png(path, skimage.data.astronaut())
