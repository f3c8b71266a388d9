"""Prisma's client and command line over our engines, on a real PostgreSQL."""
