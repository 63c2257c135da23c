package cluster

import (
	"testing"

	"github.com/datahq/auth-gateway/internal/gatewaytest"
)

func TestMain(m *testing.M) { gatewaytest.Main(m) }
