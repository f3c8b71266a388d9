"""Tests of the application: file for file, on a real PostgreSQL through real Prisma."""
