"""The deployment on Koyeb: the manifest ``koyeb.yaml``, what is made of it, and what it is checked for.

``document`` reads a manifest with the place of every value, ``plan`` what button and addresses need of it,
``commands`` is ``orrery koyeb``. ``check`` is ``make deploy-check``: ``schema`` and ``rules`` find mistakes,
``rehearsal`` plays the manifest against ``standin``. ``buildpack`` is the build step without a Dockerfile.
"""
