"""The desk door."""

from fastapi import APIRouter

routers: list[APIRouter] = []
