// Command health says how deployment tools judge objects: kstatus, which Flux
// and kubectl's relatives use, and a health script of Argo CD. It reads objects
// from standard input, one JSON object a line, and prints one line for each:
// {"status": ..., "message": ...}.
//
//	health kstatus < objects
//	health argocd health.lua < objects
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	judge, err := judgeOf(os.Args[1:])
	if err == nil {
		err = judgeAll(judge)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judgeOf(args []string) (func(*unstructured.Unstructured) (verdict, error), error) {
	switch {
	case len(args) == 1 && args[0] == "kstatus":
		return kstatus, nil
	case len(args) == 2 && args[0] == "argocd":
		script, err := os.ReadFile(args[1])
		return func(object *unstructured.Unstructured) (verdict, error) {
			return argoCD(string(script), object)
		}, err
	}
	return nil, fmt.Errorf("usage: health kstatus | health argocd SCRIPT")
}

func judgeAll(judge func(*unstructured.Unstructured) (verdict, error)) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		// Keeps whole numbers whole, as the clients of Kubernetes do.
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(lines.Bytes()); err != nil {
			return err
		}
		found, err := judge(object)
		if err != nil {
			return err
		}
		text, err := json.Marshal(found)
		if err != nil {
			return err
		}
		fmt.Println(string(text))
	}
	return lines.Err()
}

func kstatus(object *unstructured.Unstructured) (verdict, error) {
	result, err := status.Compute(object)
	if err != nil {
		return verdict{}, err
	}
	return verdict{string(result.Status), result.Message}, nil
}

// argoCD runs a script as Argo CD's util/lua does: the object as the global
// obj, one second of time, and of Lua's libraries only the basic ones and
// table. (It has os.time and the like, too; a health that depends on them is
// none.)
func argoCD(script string, object *unstructured.Unstructured) (verdict, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(library.open), NRet: 0, Protect: true}, lua.LString(library.name)); err != nil {
			return verdict{}, err
		}
	}
	limit, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	state.SetContext(limit)
	state.SetGlobal("obj", toLua(state, object.Object))
	if err := state.DoString(script); err != nil {
		return verdict{}, err
	}
	table, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return verdict{}, fmt.Errorf("the script returned a %s", state.Get(-1).Type())
	}
	found := verdict{lua.LVAsString(table.RawGetString("status")), lua.LVAsString(table.RawGetString("message"))}
	switch found.Status {
	case "Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown":
		return found, nil
	}
	return found, fmt.Errorf("%q is no health of Argo CD", found.Status)
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch known := value.(type) {
	case bool:
		return lua.LBool(known)
	case float64:
		return lua.LNumber(known)
	case int64:
		return lua.LNumber(known)
	case string:
		return lua.LString(known)
	case []any:
		list := state.CreateTable(len(known), 0)
		for _, item := range known {
			list.Append(toLua(state, item))
		}
		return list
	case map[string]any:
		table := state.CreateTable(0, len(known))
		for key, item := range known {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}
