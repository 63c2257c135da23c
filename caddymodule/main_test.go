package caddymodule_test

import (
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

func TestMain(m *testing.M) { gatewaytest.Main(m) }
