"""The village door."""

from fastapi import APIRouter

routers: list[APIRouter] = []
