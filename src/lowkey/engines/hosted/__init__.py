"""Hosted FLUX: one paid request, one picture, at Black Forest Labs, Replicate or fal. Each service is a stranger to the others."""
